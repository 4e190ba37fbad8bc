"""Exceptions for invalid user input, and suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


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


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most similar to `name` in spelling, or None if none is similar enough."""
    matches = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.5)
    return matches[0] if matches else None


def suggestion(name: str, choices: Iterable[str]) -> str:
    """The end of an error message: the nearest choice, if any, and all valid ones."""
    choices = sorted(set(choices))
    if not choices:
        return "there is none to choose"
    best = nearest(name, choices)
    listed = ", ".join(choices)
    return f"did you mean {best!r}? valid: {listed}" if best is not None else f"valid: {listed}"
