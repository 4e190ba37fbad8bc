"""How findings about many rows are worded: all are counted, the first few are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mmclf.errors import nearest

LISTED = 5
SHOWN = 60


def listed(things: Sequence[str]) -> str:
    """The first few of the things, and how many more there are."""
    more = f" and {len(things) - LISTED} more" if len(things) > LISTED else ""
    return ", ".join(things[:LISTED]) + more


def shown(value: object) -> str:
    """The value as Python spells it, shortened: one line, without half characters."""
    spelt = repr(value)
    return spelt if len(spelt) <= SHOWN else f"{spelt[: SHOWN - 3]}..."


def repeated(
    names: Iterable[str], where: object, what: str = "id", advice: str = "remove or rename the rest"
) -> list[str]:
    """The finding that some names stand more than once, if any do; `what` they are names of."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not twice:
        return []
    if len(twice) == 1:
        return [
            f"{where}: the {what} {shown(twice[0])} stands twice; each must be its own: {advice}"
        ]
    names = listed([shown(name) for name in twice])
    return [f"{where}: {len(twice)} {what}s stand twice ({names}); each must be its own: {advice}"]


def unlabelled(places: Sequence[str], rows: int, where: object) -> list[str]:
    """The finding that the rows at `places`, of all `rows`, have no labels, if any have none."""
    if not places:
        return []
    return [
        f"{where}: {len(places)} of {rows} rows have no labels ({listed(places)}); every labelled "
        "sample needs at least one: complete or remove them"
    ]


def unknown(
    placed: Iterable[tuple[str, str]],
    known: Iterable[str],
    where: object,
    expected: str,
    what: str = "label",
) -> list[str]:
    """The finding that names are not among the `known`, if any are not.

    `placed`: each name and where it stands. The first place and the nearest known name are told.
    """
    known = set(known)
    first: dict[str, str] = {}
    for name, place in placed:
        if name not in known:
            first.setdefault(name, place)
    if not first:
        return []
    strange = [f"{shown(name)} ({place}{_hint(name, known)})" for name, place in first.items()]
    return [f"{where}: {len(strange)} unknown {what}s: {listed(strange)}; {expected}"]


def _hint(name: str, known: Iterable[str]) -> str:
    best = nearest(name, sorted(known))
    return f", did you mean {best!r}?" if best is not None else ""
