"""The composed config, checked whole before any data or weights are touched."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mmclf.config import pydantic_messages
from mmclf.config.components import COMPONENTS, MODALITIES
from mmclf.config.grants import NO_GRANTS, Grants, check_grants
from mmclf.config.schema import OWN_KEYS, Config
from mmclf.config.signature_check import check_by_source, check_component, stray_targets
from mmclf.config.validation_cache import ValidationCache
from mmclf.errors import InputError, suggestion

PLACEHOLDERS = {"root": "DIR", "dir": "DIR"}


def check(
    tree: Mapping[str, Any],
    grants: Grants = NO_GRANTS,
    cache: ValidationCache | None = None,
    *,
    is_refused: bool = False,
) -> Config:
    """The config that `tree` (plain, resolved, without `hydra`) describes.

    Raises one InputError with a problem for each thing that is wrong.

    Args:
        tree: the composed config.
        grants: what the command line allows; a config file cannot allow itself any of it.
        cache: the components that were valid before, and are not checked again.
        is_refused: whether something else is wrong with it, so that it will not be run.

    """
    sorted_out = {key: _sorted_out(key, node) for key, node in tree.items()}
    problems = [
        *_missing(tree),
        *_unknown(sorted_out, Config),
        *_settings(sorted_out),
        *_together(tree),
        *check_grants(tree, grants),
    ]
    refused = is_refused or bool(problems)
    problems += _components(sorted_out, grants.modules, cache, is_refused=refused)
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return _adapter().validate_python(sorted_out)


def _sorted_out(name: str, node: object) -> object:
    """A node with its target's settings below `part`, apart from the keys that mmclf owns."""
    if name not in OWN_KEYS or not isinstance(node, Mapping):
        return node
    own = {key: node[key] for key in OWN_KEYS[name] if key in node}
    return own | {"part": {key: value for key, value in node.items() if key not in own}}


@functools.cache
def _adapter() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def _missing(node: object, path: str = "") -> Iterator[str]:
    """A problem for each `???` that nobody replaced."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _missing(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _missing(value, f"{path}.{index}")
    elif node == "???":
        name = path.rpartition(".")[2]
        yield f"{path} is missing: give {path}={PLACEHOLDERS.get(name, name.upper())}"


def _unknown(node: Mapping[Any, Any], section: type, path: str = "") -> Iterator[str]:
    """A problem for each key that mmclf does not own."""
    hints = {key: _section(hint) for key, hint in typing.get_type_hints(section).items()}
    for key, value in node.items():
        if key not in hints:
            yield f"{path}{key} is not a setting: {suggestion(str(key), hints)}"
            for where in stray_targets(value):
                yield f"{path}{key}.{where} is not expected there: no component stands there"
        elif dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping):
            yield from _unknown(value, typing.cast("type", hints[key]), f"{path}{key}.")


def _section(hint: object) -> object:
    """The section that a setting is, also where it may be left out."""
    sections = [part for part in typing.get_args(hint) if dataclasses.is_dataclass(part)]
    return sections[0] if sections else hint


def _settings(tree: Mapping[str, Any]) -> Iterator[str]:
    """A problem for each value that is not what the schema says."""
    try:
        _adapter().validate_python(tree)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path = ".".join(map(str, detail["loc"]))
            value = detail["input"]
            if value == "???":
                continue
            if detail["type"] == "missing":
                yield f"{path} is missing: give {path}={'LEVEL' if path in COMPONENTS else 'VALUE'}"
                continue
            wanted = (
                pydantic_messages.expected([detail], _annotation(detail["loc"])) or detail["msg"]
            )
            yield f"{path}: found {pydantic_messages.describe(value, [detail])}, expected {wanted}"


def _annotation(location: Sequence[int | str]) -> object:
    here: object = Config
    for key in location:
        if not dataclasses.is_dataclass(here):
            return here
        here = _section(typing.get_type_hints(here).get(str(key)))
    return here


def _together(tree: Mapping[str, Any]) -> Iterator[str]:
    """Problems about settings that are right alone and wrong together."""
    if all(_is_none(tree.get(name)) for name in MODALITIES):
        names = " and ".join(MODALITIES)
        yield f"{names}: found none for each, which leaves nothing to learn from: give one a level"
    for name in MODALITIES:
        node = tree.get(name)
        if isinstance(node, Mapping) and _is_none(node) and node.get("trainable") is True:
            yield f"{name}.trainable is true, but {name} is none: choose a level, {name}=LEVEL"
    yield from _at_test(tree)
    yield from _padding(tree.get("augment"), tree.get("image"))
    split = tree.get("split")
    shares = [split.get("val"), split.get("test")] if isinstance(split, Mapping) else []
    numbers = [share for share in shares if isinstance(share, float) and 0 < share < 1]
    if len(numbers) == 2 and sum(numbers) >= 1:
        yield (
            f"split.val and split.test: found {numbers[0]} and {numbers[1]}, expected a sum below "
            "1: the rest is for training"
        )


def _at_test(tree: Mapping[str, Any]) -> Iterator[str]:
    """Problems about modalities that are not there to be changed, or of which nothing is left."""
    node = tree.get("at_test")
    if not isinstance(node, Mapping):
        return
    for name in MODALITIES:
        if _is_none(tree.get(name)) and node.get(name) in ("dropped", "shuffled"):
            yield (
                f"at_test.{name} is {node[name]!r}, but {name} is none: give at_test.{name}=as_is, "
                f"or choose a level, {name}=LEVEL"
            )
    used = [name for name in MODALITIES if name in tree and not _is_none(tree[name])]
    if used and all(node.get(name) == "dropped" for name in used):
        yield (
            f"at_test drops {' and '.join(used)}, which leaves nothing to tell test samples apart "
            f"by: give at_test.{used[0]}=as_is"
        )


def _padding(augment: object, image: object) -> Iterator[str]:
    """A problem if augmented pictures are padded by more than their reflection has."""
    if not (isinstance(augment, Mapping) and isinstance(image, Mapping)):
        return
    views, padding, size = augment.get("views"), augment.get("padding"), image.get("size")
    if not (isinstance(views, int) and isinstance(padding, int) and isinstance(size, int)):
        return
    if views > 1 and padding >= size:
        yield (
            f"augment.padding: found {padding}, expected less than image.size={size}: pictures are "
            "padded by their own reflection"
        )


def valid_components(tree: Mapping[str, Any]) -> dict[str, Mapping[Any, Any]]:
    """The components of a tree that `check` has accepted, by their groups."""
    nodes = {name: _component(name, _sorted_out(name, tree[name])) for name in COMPONENTS}
    return {name: node for name, node in nodes.items() if isinstance(node, Mapping)}


def _component(name: str, node: object) -> object:
    """A component's own node, without the keys that mmclf owns beside it."""
    return node["part"] if name in OWN_KEYS and isinstance(node, Mapping) else node


def _components(
    tree: Mapping[str, Any],
    allowed_modules: Sequence[str],
    cache: ValidationCache | None,
    *,
    is_refused: bool,
) -> list[str]:
    """What is wrong with the components; their libraries are imported only if nothing else is.

    Of what will not be run those of the user's own are imported alone, so that all is named.
    """
    nodes, problems = dict[str, Mapping[Any, Any]](), list[str]()
    for name in COMPONENTS:
        node = _component(name, tree.get(name))
        if not isinstance(node, Mapping) or node.get("_target_") == "???":
            continue
        if (problem := _target_missing(name, node)) is not None:
            problems.append(problem)
        elif name in MODALITIES and _is_none(node):
            problems += [
                f"{name}.{key} is set, but {name} is none: choose a level, {name}=LEVEL"
                for key in node
                if key != "_target_"
            ]
        elif cache is None or not cache.has(name, node):
            nodes[name] = node
    by_source = {
        name: check_by_source(node, name, name, allowed_modules) for name, node in nodes.items()
    }
    if not is_refused and not problems and not any(by_source.values()):
        by_source = {}
    for name, node in nodes.items():
        of_source = by_source.get(name)
        problems += (
            check_component(node, name, name, allowed_modules) if of_source is None else of_source
        )
    return problems


def _target_missing(name: str, node: Mapping[Any, Any]) -> str | None:
    """The problem about a component that names no target."""
    if not node and name in OWN_KEYS:
        return f"{name} is missing: give {name}=LEVEL"
    if "_target_" not in node:
        return f"{name}._target_ is missing: {name} needs the dotted name of a class or function"
    return None


def _is_none(node: object) -> bool:
    return isinstance(node, Mapping) and node.get("_target_", "") is None
