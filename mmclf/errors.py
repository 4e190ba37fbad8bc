"""The errors that mean "your input, not our code", and how a wrong name is answered."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class InputError(Exception):
    """Bad input or configuration: one finding a line, shown without a traceback.

    Every finding says what was found, where, what was expected and what to do.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class NothingTrackedError(InputError):
    """There is no database, or no experiment in it, yet."""


class ArtifactError(InputError):
    """An artifact of a finished run is lost or damaged; not one that is merely out of reach."""


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice that is spelt most like `name`, or None if none comes near."""
    found = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.5)
    return found[0] if found else None


def suggestion(name: str, choices: Iterable[str]) -> str:
    """A half-sentence that names the valid choices, the nearest one first."""
    choices = sorted(set(choices))
    if not choices:
        return "there is none to choose"
    best = nearest(name, choices)
    listed = ", ".join(choices)
    return f"did you mean {best!r}? valid: {listed}" if best is not None else f"valid: {listed}"
