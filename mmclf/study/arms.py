"""A study before it is run: every arm composed and checked, lest a run finds a mistake later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.config.check_hydra import STUDY_SWEEPER
from mmclf.config.composition import opened
from mmclf.config.job import hydra_node
from mmclf.config.schema import Composed, Study
from mmclf.config.variations import Variations
from mmclf.errors import InputError
from mmclf.names import settings_of
from mmclf.store.digests import digest
from mmclf.study.designs import Arm, Design, laid_out
from mmclf.study.factors import factors_of, key_of


@dataclass(frozen=True)
class PlannedStudy:
    """A study whose arms are all composed, in the design's order, with the base's seed."""

    name: str
    study: Study
    design: Design
    base: Composed
    arms: tuple[Composed, ...]

    @property
    def key(self) -> str:
        """A digest of what the arms are: the same for the same configurations."""
        settings = {
            arm.name: settings_of(composed.tree)
            for arm, composed in zip(self.design.arms, self.arms, strict=True)
        }
        return digest({"name": self.name, "design": self.study.design, "arms": settings})


def compose_study(
    overrides: Sequence[str], config_dir: Path | None = None, config_name: str = "config"
) -> PlannedStudy:
    """The study that these overrides name, each of its arms checked.

    Raises one InputError with a finding for each thing that is wrong.
    """
    with opened(overrides, config_dir, config_name) as (jobs, lines):
        axes, findings = jobs.axes(lines)
        cfg, unknown = jobs.load([axis.lines[0] for axis in axes])
        base, more = jobs.judged(cfg) if cfg is not None else (None, [])
        if cfg is None or base is None or findings or unknown or more:
            raise InputError(*dict.fromkeys([*findings, *unknown, *more]))
        study = base.config.study
        if study is None:
            raise InputError("there is no study: give study=NAME")
        name = base.choices.get("study", "study")
        _check_sweeper(name, hydra_node(cfg.hydra))
        factors = factors_of(study)
        design = laid_out(study.design, factors, study.baseline, study.orders)
        _check_base(name, lines, design)
        arms = _composed_arms(Variations(jobs, lines), design)
    _check_different(design, arms)
    return PlannedStudy(name, study, design, base, arms)


def job_lines(arm: Arm, seed: int) -> list[str]:
    """The overrides that make a job of an arm."""
    return [*arm.overrides, f"seed={seed}"]


def _check_sweeper(name: str, hydra: dict[str, object]) -> None:
    sweeper = hydra.get("sweeper")
    target = sweeper.get("_target_") if isinstance(sweeper, dict) else None
    if target != STUDY_SWEEPER or hydra.get("mode") != "MULTIRUN":
        raise InputError(
            f"study={name}: found the sweeper {target} and hydra.mode={hydra.get('mode')}, "
            "expected those of a study: give its file `- override /hydra/sweeper: study` in its "
            "defaults and `hydra: {mode: MULTIRUN}`, and leave hydra/sweeper out of the command"
        )


def _check_base(name: str, lines: Sequence[str], design: Design) -> None:
    """Raise InputError for overrides of what the study varies.

    What only some arms set may be overridden: the others have that base.
    """
    by_arm = [{key_of(line) for line in arm.overrides} for arm in design.arms]
    varied = sorted(set.intersection(*by_arm))
    findings = []
    for line in lines:
        key = key_of(line)
        if key == "seed":
            findings.append(f"{line}: study={name} runs its own seeds: give study.seeds=[0,1,2]")
        elif any(key == one or one.startswith(f"{key}.") for one in varied):
            findings.append(
                f"{line}: study={name} varies {', '.join(varied)}: leave it out, or change the "
                "study's levels in a study file of your own"
            )
    if findings:
        raise InputError(*findings)


def _composed_arms(variations: Variations, design: Design) -> tuple[Composed, ...]:
    """Each arm's configuration."""
    composed: list[Composed] = []
    findings: list[str] = []
    for arm in design.arms:
        one, found = variations.judged(arm.overrides)
        findings += [f"arm {arm.name!r}: {text}" for text in dict.fromkeys(found)]
        if one is not None:
            composed.append(one)
    if findings:
        raise InputError(*findings)
    return tuple(composed)


def _check_different(design: Design, arms: Sequence[Composed]) -> None:
    """Raise InputError for two arms that are one and the same configuration."""
    seen: dict[str, str] = {}
    findings = []
    for arm, composed in zip(design.arms, arms, strict=True):
        key = digest(settings_of(composed.tree))
        if key in seen:
            findings.append(
                f"study: the arms {seen[key]!r} and {arm.name!r} are the same configuration: "
                "leave one of their levels out"
            )
        seen.setdefault(key, arm.name)
    if findings:
        raise InputError(*findings)
