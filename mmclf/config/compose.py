"""A command line's overrides, checked as one run or as a sweep, before Hydra runs anything."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mmclf.config.hydra_policy import check_hydra
from mmclf.config.job import Jobs, hydra_node, judge_tree
from mmclf.config.loader import open_source
from mmclf.config.overrides import Axis, granted_by
from mmclf.config.schema import Composed
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError

GRANT = "allow_targets"
MAX_COMBINATIONS = 256  # of swept levels, where the user's own files could bring in a `hydra` node


@dataclass(frozen=True)
class Command:
    """What a checked command line asks for; `first` is the run, or the first job of the sweep."""

    multirun: bool
    first: Composed


def compose(overrides: Sequence[str] = (), config_dir: Path | None = None) -> Composed:
    """The checked config of one run.

    Raises one InputError with a finding for each thing that is wrong.
    """
    command = check_command(overrides, config_dir)
    if command.multirun:
        raise InputError("these overrides ask for a sweep (hydra.mode=MULTIRUN), expected one run")
    return command.first


def check_command(
    overrides: Sequence[str],
    config_dir: Path | None = None,
    config_name: str = "config",
    *,
    multirun: bool = False,
) -> Command:
    """What a command line asks for, all of it checked, the values of a sweep one by one.

    Modules named in allow_targets may lie in `config_dir`, beside the config files that use them.
    Raises one InputError with a finding for each thing that is wrong.
    """
    with opened(overrides, config_dir, config_name) as (jobs, lines):
        own_files = len(lines) < len(overrides) or config_dir is not None or config_name != "config"
        command, problems = _command(jobs, lines, multirun, own_files)
    if command is None or problems:
        raise InputError(*dict.fromkeys(problems))
    return command


@contextmanager
def opened(
    overrides: Sequence[str], config_dir: Path | None = None, config_name: str = "config"
) -> Iterator[tuple[Jobs, list[str]]]:
    """What composes jobs, and the overrides but for the search path, which it follows.

    Raises InputError for a folder or a search path that cannot be used.
    """
    search = [line for line in overrides if line.startswith("hydra.searchpath=")]
    lines = [line for line in overrides if line not in search]
    granted = granted_by(lines)
    with open_source(config_dir, config_name, search[0] if search else None) as source:
        if config_dir is not None and granted:
            make_importable(config_dir, granted)
        yield Jobs(source, granted), lines


def has_study(cfg: DictConfig) -> bool:
    """Whether a composed config asks for a study."""
    return OmegaConf.select(cfg, "study") is not None


def swept_beside_study(axes: Sequence[Axis]) -> list[str]:
    """A finding for each override that sweeps where a study is asked for."""
    return [
        f"{axis.name}: found several values, but a study varies its factors alone: give one "
        "value, or make it a factor"
        for axis in axes
        if axis.is_sweep
    ]


def composed_job(cfg: DictConfig, hydra: DictConfig, granted: Sequence[str]) -> Composed:
    """The checked form of the config that hydra.main hands to a job, and of its `hydra` node.

    `hydra` is what HydraConfig.get() returns. Raises InputError.
    """
    composed, problems = judge_tree(cfg, hydra_node(hydra), granted)
    if composed is None or problems:
        raise InputError(*problems)
    return composed


def _command(
    jobs: Jobs, lines: Sequence[str], multirun: bool, own_files: bool
) -> tuple[Command | None, list[str]]:
    axes, problems = jobs.axes(lines)
    parent, unknown = jobs.load([axis.lines[0] for axis in axes if not axis.is_sweep])
    if parent is None:
        return None, problems + unknown
    hydra = hydra_node(parent.hydra)
    if not multirun and hydra.get("mode") != "MULTIRUN":
        problems += [
            f"{axis.name}: found several values, expected one: add -m to sweep over them, or quote "
            "a text that has commas"
            for axis in axes
            if axis.is_sweep
        ]
        first, more = jobs.judged(parent)
        return (Command(False, first) if first is not None else None), problems + unknown + more
    if has_study(parent):
        first, more = jobs.judged(parent)
        problems += swept_beside_study(axes)
        return (Command(True, first) if first is not None else None), problems + unknown + more
    problems += check_hydra(hydra)
    extra, more = _sweeper_axes(jobs, hydra, axes)
    problems += more
    axes = [*extra, *axes]
    problems += [
        f"{axis.name}: Hydra's settings and allow_targets cannot be swept: give one value"
        for axis in axes
        if axis.is_sweep and (axis.key.startswith(("hydra.", "hydra/")) or axis.key == GRANT)
    ]
    first, swept = _sweep(jobs, axes, own_files)
    # The parent is composed without what is swept, so it does not know a swept level's keys.
    problems += [
        text if text in swept else f"{text}; ++KEY=VALUE sets a key that only a swept level has"
        for text in unknown
    ]
    return (Command(True, first) if first is not None else None), problems + swept


def _sweeper_axes(
    jobs: Jobs, hydra: Mapping[str, Any], axes: Sequence[Axis]
) -> tuple[list[Axis], list[str]]:
    """The overrides that a config file gives to the sweeper; the command line's win."""
    sweeper = hydra.get("sweeper")
    params = sweeper.get("params") if isinstance(sweeper, Mapping) else None
    problems, lines = [], []
    for key, value in params.items() if isinstance(params, Mapping) else ():
        name = str(key).lstrip("+~")
        if name.partition("/")[0].partition(".")[0] in ("hydra", GRANT):
            problems.append(f"hydra.sweeper.params.{key} is not allowed: leave it out")
        elif all(name != axis.key for axis in axes):
            lines.append(f"{key}={value}")
    extra, more = jobs.axes(lines)
    return extra, problems + more


def _sweep(jobs: Jobs, axes: Sequence[Axis], own_files: bool) -> tuple[Composed | None, list[str]]:
    """The first job, and what is wrong with it and with every other value of each axis."""
    firsts = [axis.lines[0] for axis in axes]
    cfg, problems = jobs.load(firsts)
    if cfg is None:
        return None, problems
    first, more = jobs.judged(cfg)
    problems += more
    for index, axis in enumerate(axes):
        for line in axis.lines[1:]:
            lines = [*firsts[:index], line, *firsts[index + 1 :]]
            job, found = _varied(jobs, cfg, lines, line)
            found += jobs.judged(job)[1] if job is not None else []
            told = [text.removeprefix(f"{line}: ") for text in found if text not in problems]
            problems += [f"{line}: {text}" for text in told]
    if own_files:
        problems += _combinations(jobs, axes)
    return first, problems


def _varied(
    jobs: Jobs, cfg: DictConfig, lines: Sequence[str], line: str
) -> tuple[DictConfig | None, list[str]]:
    """The job of `lines`, which differs from `cfg` in `line` alone."""
    return jobs.updated(cfg, [line]) if jobs.is_update(line) else jobs.load(lines)


def _combinations(jobs: Jobs, axes: Sequence[Axis]) -> Iterator[str]:
    """What is wrong with the `hydra` nodes of the combinations of swept levels.

    A file may be loaded for one combination alone: a defaults list can name it by both levels.
    """
    choices = [axis.lines if jobs.groups.levels(axis.key) else axis.lines[:1] for axis in axes]
    count = math.prod(map(len, choices))
    if count > MAX_COMBINATIONS:
        yield (
            f"{count} combinations of swept levels, where at most {MAX_COMBINATIONS} are checked "
            "with config files of your own: split the sweep"
        )
        return
    for lines in itertools.product(*choices):
        cfg, problems = jobs.load(lines)
        yield from problems
        if cfg is not None:
            yield from check_hydra(hydra_node(cfg.hydra))
