"""Messages about problems in many rows: all are counted, the first few are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mmclf.errors import nearest

LISTED = 5
MAX_LENGTH = 60


def listed(items: Sequence[str]) -> str:
    """The first few of the items, and how many more there are."""
    more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return ", ".join(items[:LISTED]) + more


def shown(value: object) -> str:
    """The value's `repr`, in one line of at most `MAX_LENGTH` characters."""
    text = repr(" ".join(value.splitlines()) if isinstance(value, str) else value)
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."


def repeated(
    names: Iterable[str], where: object, kind: str = "id", advice: str = "remove or rename the rest"
) -> list[str]:
    """The problem that names are repeated, or no problem if none is.

    Args:
        names: in any order.
        where: they are from, as a file.
        kind: what they are names of.
        advice: what to do about it.

    """
    times = {name: count for name, count in Counter(names).items() if count > 1}
    if not times:
        return []
    if len(times) == 1:
        ((name, count),) = times.items()
        return [
            f"{where}: the {kind} {shown(name)} stands {in_times(count)}; each must be its own: "
            f"{advice}"
        ]
    examples = listed([f"{shown(name)} {in_times(count)}" for name, count in times.items()])
    return [
        f"{where}: {len(times)} {kind}s stand more than once ({examples}); each must be its own: "
        f"{advice}"
    ]


def in_times(count: int) -> str:
    """How often something stands, as `twice` or `5 times`."""
    return "twice" if count == 2 else f"{count} times"


def unlabelled(locations: Sequence[str], rows: int, where: object) -> list[str]:
    """The problem that rows have no labels, or no problem if all have.

    Args:
        locations: of the rows without labels, as `line 3`.
        rows: number of all rows.
        where: they are from, as a file.

    """
    if not locations:
        return []
    return [
        f"{where}: {len(locations)} of {rows} rows have no labels ({listed(locations)}); every "
        "labelled sample needs at least one: complete or remove them"
    ]


def unknown(
    located: Iterable[tuple[str, str]],
    valid: Iterable[str],
    where: object,
    expected: str,
    kind: str = "label",
) -> list[str]:
    """The problem that names are unknown, or no problem if all are known.

    Lists each unknown name with its first location and the nearest known name.

    Args:
        located: each name, and where it is written.
        known: the valid names.
        where: they are from, as a file.
        expected: what to do about it.
        kind: what they are names of.

    """
    valid = set(valid)
    first: dict[str, str] = {}
    for name, location in located:
        if name not in valid:
            first.setdefault(name, location)
    if not first:
        return []
    listing = [
        f"{shown(name)} ({location}{_hint(name, valid)})" for name, location in first.items()
    ]
    return [f"{where}: {len(listing)} unknown {kind}s: {listed(listing)}; {expected}"]


def _hint(name: str, valid: Iterable[str]) -> str:
    best = nearest(name, sorted(valid))
    return f", did you mean {best!r}?" if best is not None else ""
