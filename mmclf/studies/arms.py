"""A study before it is run: every arm composed and checked, lest a run finds a mistake later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.config.compose import Command, read_command
from mmclf.config.composed import Check
from mmclf.config.composer import Composer, Variants, open_composer
from mmclf.config.hydra_policy import STUDY_SWEEPER
from mmclf.config.overrides import check_level, read
from mmclf.config.schema import Composed
from mmclf.config.study_schema import Study
from mmclf.errors import InputError
from mmclf.evaluation.metrics import deciding_metric
from mmclf.pipeline.image_size import check_one_size
from mmclf.pipeline.run_naming import settings_of
from mmclf.storage.store.hashing import digest
from mmclf.studies.design import Design, design_of
from mmclf.studies.design_kinds import Arm
from mmclf.studies.factors import Factor, at_level, factors_of, key_of

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
    overrides: Sequence[str],
    config_dir: Path | None = None,
    also: Check | None = None,
) -> PlannedStudy:
    """The study that these overrides name, each of its arms checked; `also` as Composer.

    Raises one InputError with a problem for each thing that is wrong.
    """
    with open_composer(overrides, config_dir, also=also) as composer:
        return plan_study(composer, read_command(composer))


def plan_study(composer: Composer, command: Command) -> PlannedStudy:
    """The study that a composer's command asks for; raises InputError as `compose_study`."""
    base, study = command.first, command.first.config.study
    if study is None:
        raise InputError("there is no study: give study=NAME")
    name = base.choices.get("study", "study")
    _check_sweeper(name, command)
    factors = factors_of(study)
    deciding_metric(study.metric)  # raises InputError if there is no such one
    design = design_of(study)
    _check_base(composer, name, design)
    arms = _compose_arms(composer, command, factors, design)
    _check_different(composer, name, design, arms)
    check_one_size({arm.name: c.config for arm, c in zip(design.arms, arms, strict=True)})
    return PlannedStudy(name, study, design, base, arms)


def job_lines(arm: Arm, seed: int) -> list[str]:
    """The overrides that make a job of an arm."""
    return [*arm.overrides, f"seed={seed}"]


def _check_sweeper(name: str, command: Command) -> None:
    hydra = command.cfg.hydra
    mode = hydra.mode.name if hydra.mode is not None else "MULTIRUN"
    if hydra.sweeper._target_ != STUDY_SWEEPER or mode != "MULTIRUN":
        raise InputError(
            f"study={name}: found the sweeper {hydra.sweeper._target_} and hydra.mode={mode}, "
            "expected those of a study: give its file `- override /hydra/sweeper: study` in its "
            "defaults, and leave hydra.mode and hydra/sweeper out of the command"
        )


def _check_base(composer: Composer, name: str, design: Design) -> None:
    """Raise InputError for overrides of what the study varies.

    What only some arms set may be overridden: the others have that base. So may the level of a
    group below which arms set keys: they refine what it is.
    """
    by_arm = [{key_of(line) for line in arm.overrides} for arm in design.arms]
    varied = sorted(set.intersection(*by_arm))
    problems = []
    for line in composer.lines:
        key = key_of(line)
        below = [] if composer.is_level(line) else [v for v in varied if v.startswith(f"{key}.")]
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


def _check_levels(
    composer: Composer, factors: Sequence[Factor]
) -> tuple[dict[str, str | None], list[str]]:
    """The nearest valid override for each of a level, and a problem for each misspelt one."""
    nearest_valid: dict[str, str | None] = {}
    problems = []
    for factor in factors:
        for level in factor.levels:
            for line in level.overrides:
                override, _ = read(line)
                assert override is not None
                problem, nearest_valid[line] = check_level(override, composer.groups)
                if problem is not None:
                    problems.append(at_level(factor.name, level, line, problem))
    return nearest_valid, problems


def _compose_arms(
    composer: Composer, command: Command, factors: Sequence[Factor], design: Design
) -> tuple[Composed, ...]:
    """Each arm's configuration."""
    variants = Variants(composer, composer.lines, command.cfg)
    nearest_valid, problems = _check_levels(composer, factors)
    arms: list[Composed] = []
    by_arm: list[list[str]] = []
    for arm in design.arms:
        kept = [line for given in arm.overrides if (line := nearest_valid[given]) is not None]
        composed, of_arm = variants.check(kept)
        by_arm.append(of_arm)
        if composed is not None:
            arms.append(composed)
    for arm, texts in zip(design.arms, by_arm, strict=True):
        problems += [_attributed(text, arm, factors, design, by_arm) for text in texts]
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return tuple(arms)


def _attributed(
    text: str, arm: Arm, factors: Sequence[Factor], design: Design, by_arm: Sequence[Sequence[str]]
) -> str:
    """A problem about an arm, by the override that makes it in whatever arm, or by the arm."""
    for factor in factors:
        level = next(level for level in factor.levels if level.name == arm.levels[factor.name])
        for line in level.overrides:
            arms = zip(design.arms, by_arm, strict=True)
            everywhere = all(text in texts for other, texts in arms if line in other.overrides)
            if text.startswith(f"{line}: ") and everywhere:
                return at_level(factor.name, level, line, text)
    return f"arm {arm.name!r}: {text}"


def _settings(arms: Sequence[Composed]) -> list[dict[str, object]]:
    """What each arm is; where the data lie belongs to it if that is what tells arms apart."""
    varies = len({repr(arm.config.data.part.get("root")) for arm in arms}) > 1
    return [settings_of(arm.tree, with_root=varies) for arm in arms]


def _check_different(
    composer: Composer, name: str, design: Design, arms: Sequence[Composed]
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
        pairs = {factor: (other.levels[factor], level) for factor, level in arm.levels.items()}
        reason = tuple((factor, *pair) for factor, pair in pairs.items() if pair[0] != pair[1])
        if reason in reasons:
            continue
        reasons.add(reason)
        same = f"the arms {other.name!r} and {arm.name!r}"
        varied = " and ".join(factor for factor, _, _ in reason)
        blamed = _making_same(composer, (other, arm))
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


def _making_same(composer: Composer, pair: tuple[Arm, Arm]) -> list[str]:
    """The overrides of the user's but for which the two arms would differ."""
    blamed = []
    for line in composer.lines:
        if key_of(line).partition(".")[0].partition("/")[0] in ("study", "hydra"):
            continue
        without = Variants(composer, [other for other in composer.lines if other != line])
        both = [composed for arm in pair if (composed := without.check(arm.overrides)[0])]
        if len(both) == 2 and len({digest(settings) for settings in _settings(both)}) == 2:
            blamed.append(line)
    return blamed
