"""What a study varies: its factors, and the overrides that each level stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmclf.config.overrides import read
from mmclf.config.study_schema import Study
from mmclf.errors import InputError
from mmclf.pipeline.run_naming import EXECUTION

# Where and how, not what: arms that differ in these alone would be the same configuration.
FIXED = (*EXECUTION, "cache", "hydra", "store", "study", "tracking")
# What Hydra's grammar takes in a value without quotes.
BARE = re.compile(r"[A-Za-z_/.][\w/.+-]*", re.ASCII)


@dataclass(frozen=True)
class Level:
    """One value of a factor: its name, and the overrides that choose it."""

    name: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Factor:
    """What is varied, and its levels; the first is the one that the study starts from."""

    name: str
    levels: tuple[Level, ...]


def factors_of(study: Study) -> tuple[Factor, ...]:
    """The factors that a study file names; raises InputError, a problem for each mistake."""
    problems: list[str] = []
    factors = []
    for name, given in study.factors.items():
        try:
            factors.append(Factor(name, _levels(name, given)))
        except InputError as error:
            problems += error.problems
    if not study.factors:
        problems.append("study.factors is empty: name a group or a key, and its levels")
    if problems:
        raise InputError(*problems)
    return tuple(factors)


def key_of(line: str) -> str:
    """The group or key of an override."""
    return line.lstrip("+~").partition("=")[0]


def at_level(factor: str, level: Level, line: str, problem: str) -> str:
    """A problem about an override of a level, by where it stands in the study file."""
    if line == f"{factor}={level.name}":
        return f"study.factors.{factor}: {problem.removeprefix(f'{line}: ')}"
    return f"study.factors.{factor}.{level.name}: {problem}"


def _levels(name: str, given: Sequence[Any] | Mapping[str, str | list[str]]) -> tuple[Level, ...]:
    if isinstance(given, Mapping):
        levels = [
            Level(str(level), (lines,) if isinstance(lines, str) else tuple(lines))
            for level, lines in given.items()
        ]
    else:
        levels = [Level(literal(value), (f"{name}={literal(value)}",)) for value in given]
    names = [level.name for level in levels]
    if len(levels) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"study.factors.{name}: found {', '.join(names) or 'no level'}, expected two levels "
            "or more, each another"
        )
    problems = [
        at_level(name, level, line, problem)
        for level in levels
        for line in level.overrides
        if (problem := _misread(line)) is not None
    ]
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return tuple(levels)


def _misread(line: str) -> str | None:
    override, problem = read(line)
    if override is None:
        return problem
    if override.is_sweep_override():
        return f"{line}: found several values, expected one: give each a level of its own"
    if key_of(line) == "seed":
        return f"{line}: seeds are no factor: give study.seeds=[0,1,2]"
    key = key_of(line)
    if any(key == fixed or key.startswith((f"{fixed}.", f"{fixed}/")) for fixed in FIXED):
        return (
            f"{line}: a study cannot vary {key}, which does not say what a run learns: leave it "
            "out, or give it on the command line, for all arms"
        )
    return None


def literal(value: object) -> str:
    """A plain value as Hydra's grammar writes it, which reads it back as it was."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{literal(k)}:{literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(literal, value)) + "]"
    if value is None or isinstance(value, bool | int | float):
        return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))
    text = str(value)
    is_bare = BARE.fullmatch(text) and text.lower() not in ("null", "true", "false", "nan", "inf")
    return text if is_bare else quoted(text)


def quoted(text: str) -> str:
    """A text in single quotes, as Hydra's grammar takes any."""
    # Only backslashes before a quote are escapes there.
    escaped = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text)
    return f"'{escaped}'"
