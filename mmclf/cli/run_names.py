"""What the runs of one command are called among each other: by what it varies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmclf.config.overrides import Axis
from mmclf.storage.tracking import TrackedRun

SEED = "seed"


@dataclass(frozen=True)
class RunNames:
    """The names of runs: by the overrides that a sweep varies, or the arms of a study.

    `varied`: the keys that a sweep varies. `in_study`: runs are called after arm and seed.
    """

    varied: tuple[str, ...] = ()
    in_study: bool = False

    def of_job(self, overrides: Sequence[str], arm: str | None, seed: int) -> str:
        """The name of a job with these overrides, as `loss=focal seed=1`."""
        if self.in_study:
            return f"{arm} seed={seed}"
        own = [line for line in overrides if key_of(line) in self.varied]
        return " ".join(line.lstrip("+~") for line in own) or f"seed={seed}"

    def of_run(self, run: TrackedRun) -> str:
        """The name of a tracked run."""
        seed, arm = run.tags.get("mmclf.seed", "?"), self.arm_of_run(run)
        with_seed = self.in_study or SEED in self.varied or not arm
        return " ".join(filter(None, [arm, f"seed={seed}" if with_seed else ""]))

    def arm_of_run(self, run: TrackedRun) -> str:
        """The name of a tracked run without its seed; empty if nothing else is varied."""
        if self.in_study:
            return run.tags.get("mmclf.arm", "?")
        keys = [key for key in self.varied if key != SEED and key in run.params]
        return " ".join(f"{key}={run.params[key]}" for key in keys)


def key_of(line: str) -> str:
    """The key of an override, as `loss` of `+loss=focal`."""
    return line.lstrip("+~").partition("=")[0]


def sweep_names(axes: Sequence[Axis]) -> RunNames:
    """The names of a sweep's runs."""
    return RunNames(tuple(dict.fromkeys(axis.key for axis in axes)))
