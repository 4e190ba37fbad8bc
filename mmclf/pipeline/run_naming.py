"""The names, tags and parameters of runs in MLflow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmclf.config.components import MODALITIES
from mmclf.pipeline.used_settings import flatten, used_settings

# Settings of where and how a run computes, not of what.
EXECUTION = (
    *("output_dir", "device", "encode.workers", "encode.batch_size", "trainer.checkpoint_every"),
    *("allow_targets", "allow_env", "allow_model_types"),
)
EXECUTION_PREFIXES = ("tracking.", "store.", "hydra.", "hydra/")
NOT_IN_NAMES = (*EXECUTION, *MODALITIES, "experiment", "data.root")
NOT_IN_ARMS = (*EXECUTION, "seed")
PASSWORD = re.compile(r"(\w+://[^/\s:@]*:)[^@/\s]+@")


def study_run_name(arm: str, seed: int) -> str:
    """The name of a run of a study, as `focal, seed=1`."""
    return f"{arm}, seed={seed}"


def run_name(choices: Mapping[str, str], overrides: Sequence[str]) -> str:
    """Preset, encoders and other overrides, as `improved: efficientnet_lite0 + minilm, seed=1`."""
    preset = choices.get("experiment")
    prefix = f"{preset}: " if preset not in (None, "null") else ""
    encoders = [choices[group] for group in MODALITIES if choices[group] != "none"]
    rest = _without_keys(overrides, NOT_IN_NAMES)
    return ", ".join([prefix + " + ".join(encoders), *rest])


def arm_name(overrides: Sequence[str]) -> str:
    """The overrides without the seed and settings of location; `base` without any."""
    return ",".join(sorted(_without_keys(overrides, NOT_IN_ARMS))) or "base"


def _without_keys(overrides: Sequence[str], keys: Sequence[str]) -> list[str]:
    return [
        override
        for override in overrides
        if (key := override.lstrip("+~").partition("=")[0]) not in keys
        and not key.startswith(EXECUTION_PREFIXES)
    ]


def run_note(run_id: str, metrics: Mapping[str, float]) -> str:
    """What is said of a run beside its name, in Markdown: its scores, and what to type next."""
    scores = ", ".join(
        f"{part} {100 * metrics[f'{part}/f1_samples']:.2f}"
        for part in ("val", "test")
        if f"{part}/f1_samples" in metrics
    )
    return (
        f"Samples-F1 in points: {scores}, of epoch {metrics['best_epoch']:.0f}, "
        f"{metrics['time/cold_s']:.1f} s with an empty store.\n\n    mmclf predict {run_id}"
    )


def without_passwords(text: str) -> str:
    """`text` with the password in every URL replaced by `***`."""
    return PASSWORD.sub(r"\1***@", text)


def run_tags(
    choices: Mapping[str, str],
    arm: str,
    seed: int,
    facts: Mapping[str, str | None],
) -> dict[str, str]:
    """The tags `mmclf.<group>`, `mmclf.arm`, `mmclf.seed`, and `mmclf.<fact>` of non-None facts."""
    tags = {f"mmclf.{group}": level for group, level in choices.items()}
    tags |= {f"mmclf.{name}": value for name, value in facts.items() if value is not None}
    return tags | {"mmclf.arm": arm, "mmclf.seed": str(seed)}


def params(
    choices: Mapping[str, str],
    tree: Mapping[str, Any],
    *,
    own_val: bool = False,
    own_test: bool = False,
) -> dict[str, Any]:
    """The level of each group by its name, and the settings that the run uses, by dotted key.

    `own_val`, `own_test`: as in `used_settings`.
    """
    levels = {group: level for group, level in choices.items() if level != "null"}
    return levels | used_settings(tree, own_val=own_val, own_test=own_test)


def settings_of(tree: Mapping[str, Any], *, with_root: bool = False) -> dict[str, Any]:
    """The settings by dotted key that identify a run, without its seed and settings of location.

    Without `data.root` too unless `with_root`: data are identified by their digest. What becomes of
    a divided group decides whether there is a run, and nothing about it.
    """
    excluded = (
        "seed",
        "cache",
        "split.on_shared_group",
        *EXECUTION,
        *(() if with_root else ("data.root",)),
    )
    excluded_prefixes = (*EXECUTION_PREFIXES, "study")
    return {
        k: v for k, v in flatten(tree) if k not in excluded and not k.startswith(excluded_prefixes)
    }
