"""What the command line alone may allow: a config file that grants itself anything is refused."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmclf.config.overrides import read
from mmclf.config.targets import refusal

PREFIX = "allow_"
# What follows each `allow_` in a message about it.
WORDS: Mapping[str, str] = {"targets": "MODULE", "env": "VARIABLE", "model_types": "TYPE"}
PATTERNS: Mapping[str, tuple[str, str]] = {
    "env": (r"[A-Za-z_]\w*", "the name of an environment variable, such as WEIGHTS"),
    "model_types": (r"[a-z0-9][\w.-]*", "the model_type of a transformers config, such as opt"),
}


@dataclass(frozen=True)
class Grants:
    """What a command line allows beyond what is allowed always.

    Args:
        targets: modules of the user's own, whose parts a config may name.
        env: environment variables that a config may read.
        model_types: of transformers, for encoders of captions.

    """

    targets: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    model_types: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, list[str]]:
        """Each `allow_...` as a config has it."""
        return {f"{PREFIX}{field.name}": [*getattr(self, field.name)] for field in fields(self)}

    @property
    def modules(self) -> list[str]:
        """Those of `targets` that may be allowed."""
        return [module for module in self.targets if refusal(module) is None]


NO_GRANTS = Grants()
GRANTS = tuple(NO_GRANTS.settings)


def granted_by(lines: Sequence[str]) -> Grants:
    """What these overrides allow, by the last `allow_...=[...]` of each kind."""
    given: dict[str, tuple[str, ...]] = {}
    for line in lines:
        key = line.lstrip("+").partition("=")[0]
        override = read(line)[0] if key in GRANTS else None
        value = override.value() if override is not None else None
        if isinstance(value, list):
            names = typing.cast("list[object]", value)
            given[key.removeprefix(PREFIX)] = tuple(map(str, names))
    return Grants(**given)


def check_grants(tree: Mapping[str, Any], grants: Grants) -> Iterator[str]:
    """What is wrong with the grants, and with what a composed config allows itself."""
    for key, granted in grants.settings.items():
        named = tree.get(key, [])
        if isinstance(named, list) and named != granted:
            word = WORDS[key.removeprefix(PREFIX)]
            yield (
                f"{key}: found {named!r} in a config file, where it does not "
                f"count: give {key}=[{word}] on the command line"
            )
    yield from filter(None, map(refusal, grants.targets))
    for kind, (pattern, expected) in PATTERNS.items():
        for name in getattr(grants, kind):
            if not re.fullmatch(pattern, name, re.ASCII):
                yield f"{PREFIX}{kind}: found {name!r}, expected {expected}"
