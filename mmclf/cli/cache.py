"""The subcommand `cache`: what is stored, by which run it was made, and making space."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from mmclf.config.compose import compose
from mmclf.errors import InputError
from mmclf.storage.store.maintenance import Kept, changed_files, damaged, kept, prune, remove
from mmclf.tables import print_rich, render

COLUMNS = ("stage", "key", "size", "cost_s", "count", "used", "run", "hardware")
AGES: Mapping[str, float] = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
SIZES: Mapping[str, int] = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
LIMIT = re.compile(r"(\d+(?:\.\d+)?)(m|h|d|w|MB|GB|TB)")
DESCRIPTION = """\
What the store holds: of each stage's results the size, what they cost, when they were last used and
which run made them. Without --prune nothing is removed."""


def cache(arguments: Sequence[str]) -> int:
    """`mmclf cache`: list the store, verify it, or make space in it."""
    parser = argparse.ArgumentParser(
        prog="mmclf cache",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read all that is stored, and the images and weights behind it, and remove what is "
        "damaged",
    )
    parser.add_argument(
        "--prune",
        nargs="+",
        metavar="LIMIT",
        help="remove what was not used for 30d (m, h, d, w), or the longest unused beyond 10GB "
        "(MB, GB, TB), or both",
    )
    given = parser.parse_intermixed_args(arguments)
    words = [*given.words, *(word for word in given.prune or () if "=" in word)]
    odd = [word for word in words if "=" not in word]
    if odd:
        raise InputError(f"mmclf cache: {odd[0]!r} is no KEY=VALUE such as output_dir=outputs")
    store = Path(compose(words).config.store.dir)
    if not store.is_dir():
        raise InputError(
            f"there is no store at {store}: start a run first, or say where it is by "
            "output_dir=DIR or store.dir=DIR"
        )
    if given.prune is not None:
        limits = [word for word in given.prune if "=" not in word]
        _prune(store, limits)
    if given.verify:
        return _verify(store)
    if given.prune is None:
        _list(kept(store))
    return 0


def _prune(store: Path, limits: Sequence[str]) -> None:
    age: float | None = None
    size: int | None = None
    for limit in limits:
        found = LIMIT.fullmatch(limit)
        if found is None:
            raise InputError(
                f"--prune: found {limit!r}, expected an age such as 30d (m, h, d, w) or a size "
                "such as 10GB (MB, GB, TB)"
            )
        if found[2] in AGES:
            age = float(found[1]) * AGES[found[2]]
        else:
            size = round(float(found[1]) * SIZES[found[2]])
    if not limits:
        raise InputError("--prune: found no limit, expected an age such as 30d or a size as 10GB")
    removed = prune(store, older_than_s=age, largest=size)
    left = kept(store)
    sys.stdout.write(
        f"{store}: removed {len(removed)} results, {_bytes(sum(one.size for one in removed))}; "
        f"{len(left)} are left, {_bytes(sum(one.size for one in left))}\n"
    )


def _verify(store: Path) -> int:
    """Tell what is damaged and remove it; status 1 if anything was."""
    entries = kept(store)
    bad = list(damaged(store))
    for one, why in bad:
        done = "removed" if remove(one.folder) else "in use, and left"
        sys.stdout.write(f"{why}: {done}\n")
    changed = changed_files(store)
    for name in changed:
        sys.stdout.write(
            f"{name} has another content than its size and time of change told: what is stored of "
            "the earlier one will not be used for it again\n"
        )
    sys.stdout.write(
        f"{store}: {len(entries)} results read, {_bytes(sum(one.size for one in entries))}; "
        f"{len(bad)} damaged, {len(changed)} files changed unnoticed\n"
    )
    return 1 if bad or changed else 0


def _list(entries: Sequence[Kept]) -> None:
    table = pd.DataFrame([_row(one) for one in entries], columns=COLUMNS)
    console = Console()
    if console.is_terminal:
        print_rich(table, console, "Store", spare=("hardware", "run", "count", "used"))
    else:
        sys.stdout.write(render(table, "tsv"))
    total = _bytes(sum(one.size for one in entries))
    sys.stdout.write(f"{len(entries)} results, {total}\n")


def _row(one: Kept) -> list[str]:
    used = datetime.fromtimestamp(one.used).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    head = [one.stage, one.folder.name[:12], _bytes(one.size)]
    if one.entry is None:
        return [*head, "damaged", "-", "-", "-", "-"]
    timing = one.entry.timing
    return [
        *head,
        f"{timing.seconds:.1f}",
        str(timing.count),
        used,
        timing.run or "-",
        timing.hardware,
    ]


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
