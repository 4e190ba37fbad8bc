"""The overrides that somebody gives in Python, a string or a list, as lines."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mmclf.errors import InputError


def override_lines(overrides: str | Sequence[str]) -> list[str]:
    """The overrides one by one; a string is split as a shell does: `"loss=focal seed=1"`.

    Raises InputError for anything but a string or strings.
    """
    expected = 'expected a string as "loss=focal seed=1", or a list of strings'
    if isinstance(overrides, str):
        try:
            return shlex.split(overrides)
        except ValueError as error:
            raise InputError(f"overrides: found {overrides!r} ({error}), {expected}") from error
    if not isinstance(overrides, Sequence):
        raise InputError(f"overrides: found {overrides!r}, {expected}")
    for index, line in enumerate(overrides):
        if not isinstance(line, str):
            raise InputError(f"overrides[{index}]: found {line!r}, {expected}")
    return list(overrides)
