"""Exceptions for invalid user input, and suggestions for misspelt names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

# How similar two names must be: of those of so few letters a wrong one changes a large part.
CUTOFF, SHORT_CUTOFF, SHORT = 0.6, 0.5, 4


class InputError(Exception):
    """Bad input or configuration, shown without a traceback.

    Args:
        problems: a line each; says what was found, where, what was expected and what to do.

    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class NothingTrackedError(InputError):
    """The tracking database, or the experiment in it, does not exist yet."""


class UnreachableError(InputError):
    """A tracking server or database does not answer."""


class TakenOverError(Exception):
    """Another process has taken over what this one was at, as it gave no sign of life."""


class ArtifactError(InputError):
    """An artifact of a finished run is missing or damaged, not merely unreachable."""


def is_interruption(error: BaseException) -> bool:
    """Whether an error is a KeyboardInterrupt, or was raised while one was on its way.

    A library that is interrupted may raise another error while it cleans up, as SQLAlchemy does
    when a session changes its state.
    """
    chain: BaseException | None = error
    while chain is not None and not isinstance(chain, KeyboardInterrupt):
        chain = chain.__cause__ if chain.__cause__ is not None else chain.__context__
    return chain is not None


def folded(name: str) -> str:
    """A name without what people spell differently: its case, and `-`, `_` and spaces in it."""
    return re.sub(r"[\s_-]+", "", name.casefold())


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most similar to `name` in spelling, or None if none is similar enough.

    Where both lie below the same dotted name, what stands after it is compared.
    """
    parent = name[: name.rfind(".") + 1]
    own = folded(name.removeprefix(parent))
    by_name: dict[str, str] = {}
    for choice in choices:
        is_beside = choice.startswith(parent) and "." not in choice.removeprefix(parent)
        by_name.setdefault(folded(choice.removeprefix(parent) if is_beside else choice), choice)
    for given in (own, folded(name)):
        if given in by_name:
            return by_name[given]
    for given in dict.fromkeys((own, folded(name))):
        cutoff = CUTOFF if len(given) > SHORT else SHORT_CUTOFF
        matches = difflib.get_close_matches(given, by_name, n=1, cutoff=cutoff)
        if matches:
            return by_name[matches[0]]
    return None


def suggestion(name: str, choices: Iterable[str], by_meaning: str | None = None) -> str:
    """The end of an error message: the nearest choice, if any, and all valid ones.

    `by_meaning`: the choice that is meant, where that is known, whatever its spelling.
    """
    choices = sorted(set(choices))
    if not choices:
        return "there is none to choose"
    best = by_meaning if by_meaning is not None else nearest(name, choices)
    listed = ", ".join(choices)
    return f"did you mean {best!r}? valid: {listed}" if best is not None else f"valid: {listed}"
