"""The subcommand `cache`: lists, verifies and prunes the store."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from mmclf.cli.command_parser import command_parser
from mmclf.config.compose import compose
from mmclf.errors import InputError, say
from mmclf.storage.store.maintenance import (
    StoredEntry,
    changed_files,
    damaged,
    prune,
    remove,
    stored_entries,
)
from mmclf.studies.report.tables.rendering import print_rich, render

COLUMNS = ("stage", "key", "size", "cost_s", "count", "used", "run", "hardware")
AGES: Mapping[str, float] = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
SIZES: Mapping[str, int] = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
LIMIT = re.compile(r"(\d+(?:\.\d+)?)(m|h|d|w|MB|GB|TB)")
DESCRIPTION = """\
What the store holds: of each stage's results the size, what they cost, when they were last used and
which run made them. Without --prune nothing is removed."""


def cache(arguments: Sequence[str]) -> int:
    """`mmclf cache`: list the store, verify it, or make space in it."""
    parser = command_parser("cache", DESCRIPTION)
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
    options = parser.parse_intermixed_args(arguments)
    words = [*options.words, *(word for word in options.prune or () if "=" in word)]
    invalid = [word for word in words if "=" not in word]
    if invalid:
        raise InputError(f"mmclf cache: {invalid[0]!r} is no KEY=VALUE such as output_dir=outputs")
    store = Path(compose(words).config.store.dir)
    if not store.is_dir():
        raise InputError(
            f"there is no store at {store}: start a run first, or say where it is by "
            "output_dir=DIR or store.dir=DIR"
        )
    if options.prune is not None:
        limits = [word for word in options.prune if "=" not in word]
        _prune(store, limits)
    if options.verify:
        return _verify(store)
    if options.prune is None:
        _list(stored_entries(store))
    return 0


def _prune(store: Path, limits: Sequence[str]) -> None:
    max_age: float | None = None
    max_size: int | None = None
    for limit in limits:
        match = LIMIT.fullmatch(limit)
        if match is None:
            raise InputError(
                f"--prune: found {limit!r}, expected an age such as 30d (m, h, d, w) or a size "
                "such as 10GB (MB, GB, TB)"
            )
        if match[2] in AGES:
            max_age = float(match[1]) * AGES[match[2]]
        else:
            max_size = round(float(match[1]) * SIZES[match[2]])
    if not limits:
        raise InputError("--prune: found no limit, expected an age such as 30d or a size as 10GB")
    removed = prune(store, older_than_s=max_age, max_size=max_size)
    remaining = stored_entries(store)
    say(
        f"{store}: removed {len(removed)} results, {_bytes(sum(entry.size for entry in removed))}; "
        f"{len(remaining)} are left, {_bytes(sum(entry.size for entry in remaining))}"
    )


def _verify(store: Path) -> int:
    """Remove and report what is damaged; returns exit status 1 if anything was."""
    entries = stored_entries(store)
    bad = list(damaged(store))
    for stored, reason in bad:
        action = "removed" if remove(stored.folder) else "in use, and left"
        say(f"{reason}: {action}")
    changed = changed_files(store)
    for name in changed:
        say(
            f"{name} has another content than its size and time of change say: what is stored of "
            "the earlier one will not be used for it again"
        )
    say(
        f"{store}: {len(entries)} results read, {_bytes(sum(stored.size for stored in entries))}; "
        f"{len(bad)} damaged, {len(changed)} files changed unnoticed"
    )
    return 1 if bad or changed else 0


def _list(entries: Sequence[StoredEntry]) -> None:
    table = pd.DataFrame([_row(entry) for entry in entries], columns=COLUMNS)
    console = Console()
    if console.is_terminal:
        print_rich(table, console, "Store", spare=("hardware", "run", "count", "used"))
    else:
        sys.stdout.write(render(table, "tsv"))
    total = _bytes(sum(entry.size for entry in entries))
    fetched = [entry for entry in entries if entry.is_fetched]
    size = _bytes(sum(entry.size for entry in fetched))
    rest = f", {len(fetched)} of them ({size}) from a remote store" if fetched else ""
    sys.stdout.write(f"{len(entries)} results, {total}{rest}\n")


def _row(stored: StoredEntry) -> list[str]:
    used = datetime.fromtimestamp(stored.used).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    head = [stored.stage, stored.folder.name[:12], _bytes(stored.size)]
    if stored.entry is None:
        return [*head, "damaged", "-", "-", "-", "-"]
    timing = stored.entry.timing
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
