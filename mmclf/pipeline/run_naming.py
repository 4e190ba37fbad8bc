"""What a run is called and tagged with in MLflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Where and how, not what.
PLACES = ("output_dir", "device", "allow_targets", "encode.workers", "encode.batch_size")
PLACES_BELOW = ("tracking.", "store.", "hydra.", "hydra/")
NOT_IN_NAMES = (*PLACES, "experiment", "vision", "text", "data.root")
NOT_IN_ARMS = (*PLACES, "seed")
PASSWORD = re.compile(r"(\w+://[^/\s:@]*:)[^@/\s]+@")


def study_run_name(arm: str, seed: int) -> str:
    """As `focal, seed=1`: what tells a study's run from its other ones."""
    return f"{arm}, seed={seed}"


def run_name(choices: Mapping[str, str], overrides: Sequence[str]) -> str:
    """As `improved: efficientnet_lite0 + minilm, seed=1`: preset, encoders, and other overrides."""
    preset = choices.get("experiment")
    prefix = f"{preset}: " if preset not in (None, "null") else ""
    encoders = [choices[group] for group in ("vision", "text") if choices[group] != "none"]
    others = _without(overrides, NOT_IN_NAMES)
    return ", ".join([prefix + " + ".join(encoders), *others])


def arm_name(overrides: Sequence[str]) -> str:
    """The configuration without its seed, as the overrides that make it; `base` without any."""
    return ",".join(sorted(_without(overrides, NOT_IN_ARMS))) or "base"


def _without(overrides: Sequence[str], keys: Sequence[str]) -> list[str]:
    return [
        override
        for override in overrides
        if (key := override.lstrip("+~").partition("=")[0]) not in keys
        and not key.startswith(PLACES_BELOW)
    ]


def without_passwords(text: str) -> str:
    """`text` with the password of every address in it replaced by `***`."""
    return PASSWORD.sub(r"\1***@", text)


def run_tags(
    choices: Mapping[str, str],
    arm: str,
    seed: int,
    facts: Mapping[str, str | None],
) -> dict[str, str]:
    """Tags `mmclf.<group>`, `mmclf.arm`, `mmclf.seed`, and `mmclf.<fact>` of the known `facts`."""
    tags = {f"mmclf.{group}": level for group, level in choices.items()}
    tags |= {f"mmclf.{name}": value for name, value in facts.items() if value is not None}
    return tags | {"mmclf.arm": arm, "mmclf.seed": str(seed)}


def params(choices: Mapping[str, str], tree: Mapping[str, Any]) -> dict[str, Any]:
    """The level of each group by its name, and the settings by dotted key.

    The tracking address and the study are left out.
    """
    levels = {group: level for group, level in choices.items() if level != "null"}
    settings = {k: v for k, v in _flat(tree, "") if not k.startswith(("tracking.", "study"))}
    return levels | settings


def settings_of(tree: Mapping[str, Any], *, with_root: bool = False) -> dict[str, Any]:
    """The settings by dotted key that say what a run is, its seed apart, not where it runs.

    Nor where its data lie, unless `with_root`: what they are is told by their digest.
    """
    apart = ("seed", "cache", *PLACES, *(() if with_root else ("data.root",)))
    below = (*PLACES_BELOW, "study")
    return {k: v for k, v in _flat(tree, "") if k not in apart and not k.startswith(below)}


def _flat(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
