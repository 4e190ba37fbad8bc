"""The command line's overrides, checked one by one: Hydra itself stops at the first bad one."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    Glob,
    Override,
    OverrideType,
    RangeSweep,
    ValueType,
)
from hydra.errors import HydraException

from mmclf.config.limits import check_brackets
from mmclf.config.other_names import (
    OTHER_KEYS,
    instead_of_level,
    key_by_meaning,
    level_by_meaning,
)
from mmclf.config.schema import OWN_KEYS, Config
from mmclf.config.study_schema import Study
from mmclf.errors import folded, nearest, suggestion

SHOWN = 60  # characters of an override that cannot be read
MAX_VALUES = 200  # of a sweep over a key that are looked at; levels of groups are all
MAX_RUNS = 100_000  # of a sweep, all of which Hydra lists before the first
SETTINGS = tuple(field.name for field in dataclasses.fields(Config))
STUDY_SETTINGS = tuple(field.name for field in dataclasses.fields(Study))
STUDY_DEFAULTS = tuple(
    f"study.{field.name}"
    for field in dataclasses.fields(Study)
    if field.default is not dataclasses.MISSING
)


class Groups:
    """The config groups at hand, with their levels."""

    def __init__(
        self, loader: ConfigLoader, config_name: str | None, searchpath: Sequence[str]
    ) -> None:
        self._loader, self._config_name, self._searchpath = loader, config_name, list(searchpath)
        self._lists: dict[tuple[str, ObjectType], Sequence[str]] = {}

    def levels(self, group: str) -> Sequence[str]:
        """The levels of `group`; none if there is no such group."""
        return self._list(group, ObjectType.CONFIG) if group else ()

    def names(self, folder: str = "") -> Sequence[str]:
        """The groups directly in `folder`; Hydra's own folder is none."""
        return [name for name in self._list(folder, ObjectType.GROUP) if name != "hydra"]

    def _list(self, folder: str, kind: ObjectType) -> Sequence[str]:
        if (folder, kind) not in self._lists:
            self._lists[folder, kind] = self._loader.get_group_options(
                folder, kind, self._config_name, self._searchpath
            )
        return self._lists[folder, kind]


@dataclass(frozen=True)
class Axis:
    """One override: a single value, or the values that it sweeps, each an override of its own.

    Of a sweep over a key `values` are the first, and `count` says how many it has.
    """

    name: str
    key: str
    is_sweep: bool
    values: tuple[Override, ...]
    count: int = 1

    @property
    def lines(self) -> tuple[str, ...]:
        """The override of each value, as it is written."""
        return tuple(str(value.input_line) for value in self.values)

    def with_lines(self, lines: Sequence[str]) -> Axis:
        """The same axis with other values."""
        parser = OverridesParser.create()
        return dataclasses.replace(self, values=tuple(map(parser.parse_override, lines)))


def read(line: str) -> tuple[Override | None, str | None]:
    """The parsed override, or what is wrong with it."""
    too_deep = check_brackets(line)
    if too_deep is not None:
        return None, f"{line[:SHOWN]}...: {too_deep}"
    try:
        return OverridesParser.create().parse_overrides([line])[0], None
    except (HydraException, ValueError, ArithmeticError) as error:
        return None, f"{line}: {_reason(error)}; expected KEY=VALUE"


def parse(lines: Sequence[str], groups: Groups) -> tuple[list[Axis], list[str]]:
    """The axes of those lines that can be read, and problems about the others."""
    parser = OverridesParser.create()
    axes, problems = [], []
    for line in lines:
        too_deep = check_brackets(line)
        if too_deep is not None:
            problems.append(f"{line[:SHOWN]}...: {too_deep}")
            continue
        try:
            override = parser.parse_overrides([line])[0]
            values, count = _values(override, parser, groups)
        except (HydraException, ValueError, ArithmeticError) as error:
            problems.append(f"{line}: {_reason(error)}; expected KEY=VALUE")
            continue
        if not override.key_or_group:
            problems.append(f"{line}: there is no key before the =; expected KEY=VALUE")
        elif values:
            is_sweep = override.is_sweep_override()
            axes.append(Axis(line, override.key_or_group, is_sweep, tuple(values), count))
        else:
            choices = groups.levels(override.key_or_group)
            hint = suggestion(override.get_value_string(), choices)
            problems.append(f"{line}: the sweep names no value: {hint}")
    return axes, problems


def _values(
    override: Override, parser: OverridesParser, groups: Groups
) -> tuple[list[Override], int]:
    """The values that are looked at, and how many there are."""
    if not override.is_sweep_override():
        return [override], 1
    if override.value_type == ValueType.INTERVAL_SWEEP:
        raise ValueError("an interval has no list of values, give choice(...) or range(...)")
    value = override.value()
    # Not by its iterator, which lists a range that is shuffled.
    if isinstance(value, RangeSweep) and _count(value.range()) > MAX_RUNS:
        raise ValueError(f"the range has more than {MAX_RUNS:,} values, expected no more")
    if isinstance(value, Glob):
        texts: list[str] = value.filter(list(groups.levels(override.key_or_group)))
    else:
        texts = list(itertools.islice(override.sweep_string_iterator(), MAX_RUNS + 1))
    key = override.get_key_element()
    limit = None if groups.levels(override.key_or_group) else MAX_VALUES
    return [parser.parse_override(f"{key}={text}") for text in texts[:limit]], len(texts)


def _count(values: Iterable[object]) -> int:
    """How many there are, or one more than a sweep may have."""
    return sum(1 for _ in itertools.islice(values, MAX_RUNS + 1))


def _reason(error: Exception) -> str:
    headings = ("Error parsing", "Error when parsing")
    lines = [line for line in str(error).splitlines() if not line.startswith(headings)]
    reason = lines[0] if lines else type(error).__name__
    if reason.startswith("missing EQUAL"):
        return "there is no ="
    if reason.startswith("LexerNoViableAlt"):
        return "the key has a character that no key can have"
    return reason


def check_level(override: Override, groups: Groups) -> tuple[str | None, str | None]:
    """A problem about the group or level that `override` names, and the line to go on with.

    The line is the override itself, the nearest valid one in its place, so that what else is wrong
    is reported as well, or None. A key of a setting is not checked here.
    """
    line = str(override.input_line)
    levels, value = groups.levels(override.key_or_group), override.value()
    if not levels:
        return _check_group(override, groups)
    if isinstance(value, dict) or override.is_delete():
        return None, line
    group = override.key_or_group
    is_shipped = group in (*SETTINGS, "experiment")  # each has a level by default
    if override.type == OverrideType.FORCE_ADD or (
        override.type == OverrideType.ADD and is_shipped
    ):
        return f"{line}: {group} takes a level: give {line.lstrip('+')}", line.lstrip("+")
    if isinstance(value, str) and value in levels:
        return None, line
    return _check_value(override, levels)


def _check_value(override: Override, levels: Sequence[str]) -> tuple[str | None, str | None]:
    """The finding about a value that is no level of its group, and the line to go on with."""
    group, line, value = override.key_or_group, str(override.input_line), override.value()
    text = override.get_value_string()
    meant = level_by_meaning(group, text, levels)
    instead = instead_of_level(group, text)
    if meant is None and instead is not None:
        return f"{line}: {group} takes a level by its name: for {text} give {instead}", None
    if meant is None and (not isinstance(value, str) or not value):
        return f"{line}: {group} takes one level by its name; valid: {', '.join(levels)}", None
    best = meant if meant is not None else nearest(text, levels)
    problem = f"{line}: {group} has no level {text!r}: {suggestion(text, levels, best)}"
    return problem, None if best is None else f"{override.get_key_element()}={best}"


def _check_group(override: Override, groups: Groups) -> tuple[str | None, str | None]:
    """Likewise for a key that is no group, but may be a misspelt one."""
    key, line = override.key_or_group, str(override.input_line)
    if "/" not in key and ("." in key or key in (*SETTINGS, "hydra")):
        return None, line
    folder = f"{key.rpartition('/')[0]}/" if "/" in key else ""
    names = [f"{folder}{name}" for name in groups.names(folder)]
    meant = key_by_meaning(key, names)
    best = meant if meant is not None else nearest(key, [*names, *(() if folder else SETTINGS)])
    is_setting = meant is None and not folder and folded(key) in OTHER_KEYS
    if is_setting or (best not in names and not folder):
        return None, line
    problem = f"{line}: there is no group {key!r}: {suggestion(key, names, best)}"
    value = None if best is None else nearest(str(override.value()), groups.levels(best))
    return problem, None if value is None or override.is_delete() else f"{best}={value}"


def unknown_key(
    override: Override, keys: Sequence[str], arguments: Callable[[str], Sequence[str]]
) -> str | None:
    """A problem about a key that is in none of the composed `keys`, or is added to them, or None.

    `arguments`: what the `_target_` of a component takes, whether or not its YAML file names it.
    """
    key, line = override.key_or_group, str(override.input_line)
    is_added = override.type in (OverrideType.ADD, OverrideType.FORCE_ADD)
    if key in keys or key == "hydra" or is_added:
        is_there = key in keys and override.type == OverrideType.ADD
        changed = f"'{key}' is set already, which + does not change: give {line.lstrip('+')}"
        return f"{line}: {changed}" if is_there else None
    parent, _, last = key.rpartition(".")
    keys = [name for name in keys if not name.rpartition(".")[2].startswith("_")]
    if parent == "study" and parent not in keys:
        return f"{line}: there is no study to set this of: give study=NAME beside it"
    taken = arguments(parent)
    if last in taken and not override.is_delete():
        return (
            f"{line}: {parent}'s level does not set {last!r}, but its target takes it: give +{line}"
        )
    if parent in keys:
        return _unknown_below(line, key, keys, taken)
    meant, unset = key_by_meaning(key, keys), OTHER_KEYS.get(folded(last), "")
    group, _, name = unset.rpartition(".")
    if meant is None and name in arguments(group):
        value = line.partition("=")[2]
        return f"{line}: there is no setting {key!r}: did you mean +{unset}={value}?"
    own = [name for name in keys if name.partition(".")[0] != "hydra"]
    best = _nearest_key(key, own) if meant is None else meant
    tops = sorted({name.partition(".")[0] for name in own})
    hint = f"valid: {', '.join(tops)}" if best is None else f"did you mean {best!r}?"
    return f"{line}: there is no setting {key!r}: {hint}"


def _unknown_below(line: str, key: str, keys: Sequence[str], taken: Sequence[str]) -> str:
    """The finding about a key below one that there is, whose target takes more than is set."""
    parent = key.rpartition(".")[0]
    below = [name.rpartition(".")[2] for name in keys if name.rpartition(".")[0] == parent]
    below += [*taken, *(STUDY_SETTINGS if parent == "study" else ())]
    if not {*below} - {*OWN_KEYS.get(parent, ())}:
        return f"{line}: the level of {parent} has no settings: choose another, {parent}=LEVEL"
    choices = [f"{parent}.{name}" for name in below]
    spelt = nearest(key, choices)
    best = spelt if spelt is not None else key_by_meaning(key, keys)
    return f"{line}: there is no setting {key!r}: {suggestion(key, choices, best)}"


def _nearest_key(key: str, keys: Sequence[str]) -> str | None:
    """The key that is called so below another one, or else the nearest in spelling."""
    same_name = [name for name in keys if name.rpartition(".")[2] == key.rpartition(".")[2]]
    return same_name[0] if len(same_name) == 1 else nearest(key, keys)


def with_study_defaults(lines: Sequence[str]) -> list[str]:
    """The overrides, of which those of a study may set what its file leaves at the default.

    Hydra takes a key that no file has for a misspelt one, unless it is to be added.
    """
    if not any(line.startswith("study=") for line in lines):
        return list(lines)
    return [f"++{line}" if line.partition("=")[0] in STUDY_DEFAULTS else line for line in lines]
