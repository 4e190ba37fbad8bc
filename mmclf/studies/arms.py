"""A study before it is run: every arm composed and checked, lest a run finds a mistake later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.config.compose import has_study, opened, swept_beside_study
from mmclf.config.hydra_policy import STUDY_SWEEPER
from mmclf.config.job import Jobs, hydra_node
from mmclf.config.overrides import judge_level, read
from mmclf.config.schema import Composed, Study
from mmclf.config.variations import Variations
from mmclf.errors import InputError
from mmclf.pipeline.run_naming import settings_of
from mmclf.storage.store.hashing import digest
from mmclf.studies.design import Arm, Design, build_design
from mmclf.studies.factors import Factor, factors_of, key_of, placed

ROOT = "data.root"


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
        names = [arm.name for arm in self.design.arms]
        settings = dict(zip(names, _settings(self.arms), strict=True))
        return digest({"name": self.name, "design": self.study.design, "arms": settings})


def compose_study(
    overrides: Sequence[str], config_dir: Path | None = None, config_name: str = "config"
) -> PlannedStudy:
    """The study that these overrides name, each of its arms checked.

    Raises one InputError with a finding for each thing that is wrong.
    """
    with opened(overrides, config_dir, config_name) as (jobs, lines):
        axes, problems = jobs.axes(lines)
        cfg, unknown = jobs.load([axis.lines[0] for axis in axes])
        base, more = jobs.judged(cfg) if cfg is not None else (None, [])
        if cfg is not None and has_study(cfg):
            problems += swept_beside_study(axes)
        if cfg is None or base is None or problems or unknown or more:
            raise InputError(*dict.fromkeys([*problems, *unknown, *more]))
        study = base.config.study
        if study is None:
            raise InputError("there is no study: give study=NAME")
        name = base.choices.get("study", "study")
        _check_sweeper(name, hydra_node(cfg.hydra))
        factors = factors_of(study)
        design = build_design(study.design, factors, study.baseline, study.orders)
        _check_base(jobs, name, lines, design)
        arms = _composed_arms(jobs, lines, factors, design)
        _check_different(jobs, name, lines, design, arms)
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


def _check_base(jobs: Jobs, name: str, lines: Sequence[str], design: Design) -> None:
    """Raise InputError for overrides of what the study varies.

    What only some arms set may be overridden: the others have that base. So may the level of a
    group below which arms set keys: they refine what it is.
    """
    by_arm = [{key_of(line) for line in arm.overrides} for arm in design.arms]
    varied = sorted(set.intersection(*by_arm))
    problems = []
    for line in lines:
        key = key_of(line)
        below = () if jobs.is_level(line) else [one for one in varied if one.startswith(f"{key}.")]
        if key == "seed":
            problems.append(f"{line}: study={name} runs its own seeds: give study.seeds=[0,1,2]")
        elif key == ROOT:
            # A source may have no folder of its own, and what the study starts from is read too.
            continue
        elif key in varied or below:
            problems.append(
                f"{line}: study={name} varies {', '.join(varied)}: leave it out, or change the "
                "study's levels in a study file of your own"
            )
    if problems:
        raise InputError(*problems)


def _going_on(jobs: Jobs, factors: Sequence[Factor]) -> tuple[dict[str, str | None], list[str]]:
    """What to go on with for each override of a level, and a finding for each misspelt one."""
    going_on: dict[str, str | None] = {}
    problems = []
    for factor in factors:
        for level in factor.levels:
            for line in level.overrides:
                override, _ = read(line)
                assert override is not None
                problem, going_on[line] = judge_level(override, jobs.groups)
                if problem is not None:
                    problems.append(placed(factor.name, level, line, problem))
    return going_on, problems


def _composed_arms(
    jobs: Jobs, lines: Sequence[str], factors: Sequence[Factor], design: Design
) -> tuple[Composed, ...]:
    """Each arm's configuration."""
    variations = Variations(jobs, lines)
    going_on, problems = _going_on(jobs, factors)
    composed: list[Composed] = []
    found: list[list[str]] = []
    for arm in design.arms:
        kept = [line for given in arm.overrides if (line := going_on[given]) is not None]
        one, more = variations.judged(kept)
        found.append(more)
        if one is not None:
            composed.append(one)
    for arm, texts in zip(design.arms, found, strict=True):
        problems += [_told(text, arm, factors, design, found) for text in texts]
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return tuple(composed)


def _told(
    text: str, arm: Arm, factors: Sequence[Factor], design: Design, found: Sequence[Sequence[str]]
) -> str:
    """A finding about an arm, by the override that makes it in whatever arm, or by the arm."""
    for factor in factors:
        level = next(one for one in factor.levels if one.name == arm.levels[factor.name])
        for line in level.overrides:
            others = zip(design.arms, found, strict=True)
            everywhere = all(text in texts for one, texts in others if line in one.overrides)
            if text.startswith(f"{line}: ") and everywhere:
                return placed(factor.name, level, line, text)
    return f"arm {arm.name!r}: {text}"


def _settings(arms: Sequence[Composed]) -> list[dict[str, object]]:
    """What each arm is; where the data lie belongs to it if that is what tells arms apart."""
    varies = len({repr(arm.config.data.part.get("root")) for arm in arms}) > 1
    return [settings_of(arm.tree, with_root=varies) for arm in arms]


def _check_different(
    jobs: Jobs, name: str, lines: Sequence[str], design: Design, arms: Sequence[Composed]
) -> None:
    """Raise InputError for two arms that are one and the same configuration."""
    seen: dict[str, Arm] = {}
    reasons: set[object] = set()
    problems: dict[str, str] = {}
    for arm, settings in zip(design.arms, _settings(arms), strict=True):
        other = seen.setdefault(digest(settings), arm)
        if other is arm:
            continue
        # Arms that are the same by the same levels have one reason.
        levels = {one: (other.levels[one], level) for one, level in arm.levels.items()}
        reason = tuple((one, *two) for one, two in levels.items() if two[0] != two[1])
        if reason in reasons:
            continue
        reasons.add(reason)
        same = f"the arms {other.name!r} and {arm.name!r}"
        varied = " and ".join(one for one, _, _ in reason)
        blamed = _making_same(jobs, lines, (other, arm))
        for line in blamed:
            problems.setdefault(
                line,
                f"{line}: study={name} varies {varied}, and this makes {same} the same: leave it "
                "out",
            )
        if not blamed:
            text = f"study: {same} are the same configuration: leave one of their levels out"
            problems[text] = text
    if problems:
        raise InputError(*problems.values())


def _making_same(jobs: Jobs, lines: Sequence[str], pair: tuple[Arm, Arm]) -> list[str]:
    """The overrides of the user's but for which the two arms would differ."""
    blamed = []
    for line in lines:
        if key_of(line).partition(".")[0].partition("/")[0] in ("study", "hydra"):
            continue
        without = Variations(jobs, [other for other in lines if other != line])
        two = [composed for arm in pair if (composed := without.judged(arm.overrides)[0])]
        if len(two) == 2 and len({digest(settings) for settings in _settings(two)}) == 2:
            blamed.append(line)
    return blamed
