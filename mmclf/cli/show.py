"""`mmclf show`: the config groups, a group's levels, and a level's settings; it runs nothing."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from typing import Any

import yaml

from mmclf.cli.columns import WIDTH, narrow_yaml, two_columns
from mmclf.config.components import COMPONENTS
from mmclf.config.composer import Composer, open_composer
from mmclf.config.grants import GRANTS
from mmclf.config.limits import check_yaml
from mmclf.config.schema import OWN_KEYS
from mmclf.config.targets import parameters, resolve
from mmclf.errors import InputError, printable_lines, suggestion

GROUPS_NOTE = """\
* the level without an override

mmclf show GROUP        its levels, each with what it is
mmclf show GROUP LEVEL  its settings, with what they mean
mmclf --cfg job         every setting of a run, those of no group too
"""


def show(arguments: Sequence[str]) -> int:
    """`mmclf show [GROUP [LEVEL]] [--config-dir DIR] [allow_...=[...]]`."""
    parser = argparse.ArgumentParser(
        prog="mmclf show", description="The config groups, their levels and their settings."
    )
    parser.add_argument("words", nargs="*", metavar="GROUP LEVEL")
    parser.add_argument("--config-dir", type=Path, help="a folder of config groups of your own")
    given = parser.parse_intermixed_args(arguments)
    overrides = [word for word in given.words if word.partition("=")[0] in GRANTS]
    names = [word for word in given.words if word not in overrides]
    if len(names) > 2 or any("=" in name for name in names):
        raise InputError(
            f"found {' '.join(names)}, expected no more than a group and a level: mmclf show "
            "vision resnet18"
        )
    with open_composer(overrides, given.config_dir) as composer:
        sys.stdout.write(printable_lines(_shown(composer, *names)))
    return 0


def _shown(composer: Composer, group: str | None = None, level: str | None = None) -> str:
    groups = [*_groups(composer)]
    if group is None:
        return _list_groups(composer, groups)
    if group not in groups:
        raise InputError(f"there is no group {group!r}: {suggestion(group, groups)}")
    levels = composer.groups.levels(group)
    if level is None:
        rows = {name: _first_comment(_text(composer, group, name)) for name in levels}
        return f"{two_columns(rows)}\n"
    if level not in levels:
        raise InputError(f"{group} has no level {level!r}: {suggestion(level, levels)}")
    return _settings(composer, group, level)


def _groups(composer: Composer, folder: str = "") -> Iterator[str]:
    """The groups that have levels, also those in others' folders."""
    for name in composer.groups.names(folder):
        group = f"{folder}/{name}" if folder else name
        if composer.groups.levels(group):
            yield group
        yield from _groups(composer, group)


def _list_groups(composer: Composer, groups: Sequence[str]) -> str:
    choices = composer.compose([]).hydra.runtime.choices
    rows = {
        group: " ".join(
            f"{level}*" if level == choices.get(group) else level
            for level in composer.groups.levels(group)
        )
        for group in groups
    }
    return f"{two_columns(rows)}\n\n{GROUPS_NOTE}"


def _text(composer: Composer, group: str, level: str) -> str:
    for source in composer.loader.get_sources():
        file = Path(source.path, group, f"{level}.yaml")
        if source.scheme() == "file" and file.is_file():
            return file.read_text(encoding="utf-8")
    return ""


def _first_comment(text: str) -> str:
    """The first comment of a file that is a line of its own; Hydra's package header is none."""
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return next((line for line in comments if not line.startswith("@package")), "")


def _settings(composer: Composer, group: str, level: str) -> str:
    """A level's file, and what its target takes beyond that."""
    text = _text(composer, group, level)
    check_yaml(text.encode(), f"{group}/{level}.yaml")
    lines = [narrow_yaml(text)]
    node = yaml.safe_load(text)
    if group in COMPONENTS and isinstance(node, Mapping) and node.get("_target_") is not None:
        beyond = textwrap.indent("\n".join(_beyond(composer, group, node)), "# ")
        lines += ["", beyond] if beyond else []
    return "\n".join([*lines, ""])


def _beyond(composer: Composer, group: str, node: Mapping[str, Any]) -> Iterator[str]:
    """What a component's target takes that its file does not set."""
    try:
        taken = parameters(resolve(node["_target_"], group, composer.grants.targets))
    except InputError as error:
        yield from textwrap.wrap(f"{error.problems[0]}", WIDTH - 2)
        return
    apart = {*node, *COMPONENTS[group].provided, *OWN_KEYS.get(group, ())}
    named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    settings = [
        f"+{group}.{name}={_default(parameter)}"
        for name, parameter in taken.items()
        if parameter.kind in named and name not in apart
    ]
    if settings:
        yield "Its target takes beyond that, by default as here:"
        yield from settings
    own = [f"{group}.{key}" for key in OWN_KEYS.get(group, ()) if key not in node]
    if own:
        yield f"mmclf itself takes beside them: {', '.join(own)}"


def _default(parameter: Parameter) -> str:
    """A parameter's default as YAML has it, where it can: ??? for a value that must be given."""
    if parameter.default is Parameter.empty:
        return "???"
    value = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=math.inf)
    except yaml.YAMLError:
        return repr(value)
    return text.removesuffix("\n").removesuffix("\n...")
