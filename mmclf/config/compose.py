"""A command line's overrides, checked as one run, a sweep or a study, before Hydra runs any."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mmclf.config.composed import container
from mmclf.config.composer import Composer, open_composer
from mmclf.config.grants import GRANTS
from mmclf.config.output_locations import is_location
from mmclf.config.override_lines import override_lines
from mmclf.config.overrides import MAX_RUNS, Axis, read
from mmclf.config.schema import Composed
from mmclf.errors import InputError

MAX_COMBINATIONS = 256  # of swept levels that are looked at before the first job


@dataclass(frozen=True)
class Command:
    """What a checked command line asks for.

    `first`: the run, the first job of the sweep, or what the study starts from. `cfg`: what was
    composed of the whole command line, to be handed on to Hydra. `axes`: what a sweep varies.
    """

    kind: Literal["run", "sweep", "study"]
    first: Composed
    cfg: DictConfig
    axes: tuple[Axis, ...] = ()


@dataclass(frozen=True, repr=False)
class Composition(Composed):
    """A checked config that remembers what it was composed of, to be composed anew with more."""

    given: tuple[str, ...]
    config_dir: Path | None

    def with_overrides(self, *overrides: str | Sequence[str]) -> Composition:
        """The config with further overrides, which take the place of those of the same key.

        Raises one InputError with a finding for each thing that is wrong.

        >>> import mmclf
        >>> config = mmclf.compose("loss=focal seed=1").with_overrides("seed=2")
        >>> config.choices["loss"], config.config.seed
        ('focal', 2)
        """
        more = [line for given in overrides for line in override_lines(given)]
        replaced = {_key(line) for line in more}
        kept = [line for line in self.given if _key(line) not in replaced]
        return compose([*kept, *more], self.config_dir)

    def __repr__(self) -> str:
        """As `Composition('vision=none text=tfidf')`: what was given, the rest being defaults."""
        return f"{type(self).__name__}({' '.join(self.given)!r})"


def compose(
    overrides: str | Sequence[str] = (), config_dir: str | Path | None = None
) -> Composition:
    """The checked config of one run, of a list of overrides, or of a string as in a shell.

    Raises one InputError with a problem for each thing that is wrong.

    >>> import mmclf
    >>> composed = mmclf.compose("loss=focal trainer.epochs=5")
    >>> composed.choices["loss"], composed.config.trainer.epochs
    ('focal', 5)
    """
    lines = override_lines(overrides)
    folder = None if config_dir is None else Path(config_dir)
    command = check_command(lines, folder)
    if command.kind != "run":
        raise InputError(
            f"overrides: found those of a {command.kind}, expected one run: mmclf.{command.kind} "
            "takes them"
        )
    of = command.first
    return Composition(of.config, of.choices, of.overrides, of.tree, tuple(lines), folder)


def _key(line: str) -> str:
    """What an override sets; itself where it cannot be read."""
    override, _ = read(line)
    return line if override is None else str(override.key_or_group)


def check_command(
    overrides: Sequence[str],
    config_dir: Path | None = None,
    config_name: str | None = None,
    *,
    multirun: bool = False,
) -> Command:
    """What a command line asks for, all of it checked, the values of a sweep one by one.

    Modules named in allow_targets may lie in `config_dir`, beside the config files that use them.
    Raises one InputError with a problem for each thing that is wrong.
    """
    with open_composer(overrides, config_dir, config_name) as composer:
        return read_command(composer, multirun=multirun)


def read_command(composer: Composer, *, multirun: bool = False) -> Command:
    """What the composer's command line asks for; raises InputError as `check_command`."""
    axes, problems = composer.axes(composer.lines)
    run_mode = RunMode.MULTIRUN if multirun else RunMode.RUN
    single = [axis.lines[0] for axis in axes if not axis.is_sweep]
    parent, unknown = composer.compose_valid(single, run_mode)
    if parent is None:
        raise InputError(*dict.fromkeys([*problems, *unknown]))
    kind = _kind(parent, multirun=multirun)
    varied: list[Axis] = []
    if kind == "sweep":
        first, varied, more = _read_sweep(composer, parent, axes, unknown)
    else:
        known = [*problems, *_swept(axes, kind), *unknown]
        first, more = composer.check(parent, is_refused=bool(known))
        more = [*known, *more]
    problems += more
    if first is None or problems:
        raise InputError(*dict.fromkeys(problems))
    if kind == "sweep":
        _list_sweeps(parent, composer.lines)
    return Command(kind, first, parent, tuple(varied))


def _kind(parent: DictConfig, *, multirun: bool) -> Literal["run", "sweep", "study"]:
    if OmegaConf.select(parent, "study") is not None:
        return "study"
    return "sweep" if multirun or parent.hydra.mode == RunMode.MULTIRUN else "run"


def _swept(axes: Sequence[Axis], kind: str) -> list[str]:
    """A problem for each override that has several values where one is expected."""
    expected = {
        "run": "expected one: add -m to sweep over them, or quote a text that has commas",
        "study": "but a study varies its factors alone: give one value, or make it a factor",
    }
    names = [axis.name.removeprefix("++") for axis in axes if axis.is_sweep]
    return [f"{name}: found several values, {expected[kind]}" for name in names]


def _list_sweeps(parent: DictConfig, lines: Sequence[str]) -> None:
    """Name all overrides in a sweep's config, as Hydra does: its sweeper reads them there."""
    hydra = list(parent.hydra.overrides.hydra)
    parent.hydra.overrides.task = [line for line in lines if line not in hydra]


def _read_sweep(
    composer: Composer, parent: DictConfig, axes: Sequence[Axis], unknown: Sequence[str]
) -> tuple[Composed | None, list[Axis], list[str]]:
    """The first job, what the sweep varies, and what is wrong with it."""
    hydra = container(parent.hydra, "hydra")
    problems = composer.loader.checker.check_sweep(parent)
    extra, more = _sweeper_axes(composer, hydra, axes)
    problems += more
    count = math.prod(axis.count for axis in (*extra, *axes))
    if count > MAX_RUNS:
        raise InputError(
            *problems,
            f"the sweep has {count:,} runs, expected at most {MAX_RUNS:,}: sweep over less",
        )
    problems += [
        f"{axis.name}: Hydra's settings and {', '.join(GRANTS)} cannot be swept: give one value"
        for axis in (*extra, *axes)
        if axis.is_sweep and (axis.key.startswith(("hydra.", "hydra/")) or axis.key in GRANTS)
    ]
    first, in_jobs = _check_jobs(composer, [*extra, *axes], is_refused=bool(problems or unknown))
    # The parent is composed without what is swept, so it does not know a swept level's keys.
    problems += [
        text if text in in_jobs else f"{text}; ++KEY=VALUE sets a key that only a swept level has"
        for text in unknown
    ]
    if first is not None and first.config.study is not None:
        problems += _swept(axes, "study")
    varied = [axis for axis in (*extra, *axes) if axis.is_sweep]
    return first, varied, [*problems, *in_jobs]


def _sweeper_axes(
    composer: Composer, hydra: Mapping[str, Any], axes: Sequence[Axis]
) -> tuple[list[Axis], list[str]]:
    """The overrides that a config file gives to the sweeper; the command line's win."""
    sweeper = hydra.get("sweeper")
    params = sweeper.get("params") if isinstance(sweeper, Mapping) else None
    problems, lines = [], []
    for key, value in params.items() if isinstance(params, Mapping) else ():
        name = str(key).lstrip("+~")
        if name.partition("/")[0].partition(".")[0] in ("hydra", *GRANTS) or is_location(name):
            problems.append(f"hydra.sweeper.params.{key} is not allowed: leave it out")
        elif all(name != axis.key for axis in axes):
            lines.append(f"{key}={value}")
    extra, more = composer.axes(lines)
    return extra, problems + more


def _check_jobs(
    composer: Composer, axes: Sequence[Axis], *, is_refused: bool
) -> tuple[Composed | None, list[str]]:
    """The first job, and what is wrong with it and with every other value of each axis.

    `is_refused`: whether something else is wrong, so that there will be no jobs.
    """
    firsts = [axis.lines[0] for axis in axes]
    cfg, problems = composer.compose_valid(firsts)
    if cfg is None:
        return None, problems
    first, more = composer.check(cfg, is_refused=is_refused or bool(problems))
    problems += more
    for index, axis in enumerate(axes):
        for line in axis.lines[1:]:
            lines = [*firsts[:index], line, *firsts[index + 1 :]]
            if composer.sets_key(line):
                job, of_job = composer.updated(cfg, [line])
            else:
                job, of_job = composer.compose_valid(lines)
            refused = is_refused or bool(problems or of_job)
            of_job += composer.check(job, is_refused=refused)[1] if job is not None else []
            problems += [
                f"{line}: {text.removeprefix(f'{line}: ')}"
                for text in of_job
                if text not in problems
            ]
    if composer.has_user_files:
        problems += _check_combinations(composer, axes)
    return first, problems


def _check_combinations(composer: Composer, axes: Sequence[Axis]) -> Iterator[str]:
    """What is wrong with the unresolved combinations of swept levels.

    A file may be loaded for one combination alone: a defaults list can name it by both levels. The
    loader checks every job; that is too late to say so before the first one.
    """
    choices = [axis.lines if composer.groups.levels(axis.key) else axis.lines[:1] for axis in axes]
    for lines in itertools.islice(itertools.product(*choices), MAX_COMBINATIONS):
        cfg, problems = composer.compose_valid(lines)
        yield from problems
        if cfg is not None:
            yield from composer.loader.checker.check_sweep(cfg)
