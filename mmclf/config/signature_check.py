"""The settings of a component, against the signature of its `_target_`."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from mmclf.config import pydantic_messages
from mmclf.config.components import INNER, NEVER_SET, component
from mmclf.config.number_bounds import bound_of
from mmclf.config.source_signature import Signature, shipped_targets, source_signature
from mmclf.config.targets import is_component, parameters, resolve
from mmclf.errors import InputError, suggestion

NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
# Packages whose annotations hold for every value that they take.
WELL_ANNOTATED = ("mmclf", "torch")


def check_component(
    node: Mapping[Any, Any], path: str, role: str, allow: Sequence[str]
) -> list[str]:
    """What is wrong with the component at `path`: its target, and each of its settings."""
    try:
        target = resolve(node["_target_"], role, allow)
    except InputError as error:
        return [f"{path}.{problem}" for problem in error.problems]
    taken = {
        key: parameter.replace(annotation=_annotation(parameter, target))
        for key, parameter in parameters(target).items()
    }
    name = f"{target.__module__}.{target.__qualname__}"
    return _check_settings(node, path, role, allow, Signature(name, taken))


def check_by_source(
    node: Mapping[Any, Any], path: str, role: str, allow: Sequence[str]
) -> list[str] | None:
    """What is wrong with the settings of a component, whose target is not imported.

    None unless the target is that of a level that mmclf ships, and its source says what it takes.
    """
    target = node["_target_"]
    if not isinstance(target, str) or target not in shipped_targets(role):
        return None
    signature = source_signature(target)
    return None if signature is None else _check_settings(node, path, role, allow, signature)


def _check_settings(
    node: Mapping[Any, Any], path: str, role: str, allow: Sequence[str], signature: Signature
) -> list[str]:
    taken, problems = signature.parameters, []
    for key, value in node.items():
        if key == "_target_":
            continue
        where, refused = f"{path}.{key}", _refused(str(key), signature, role)
        if refused is not None:
            problems.append(f"{where} {refused}")
        elif is_component(value):
            problems += check_component(value, where, INNER, allow)
        elif stray := stray_targets(value):
            problems.append(
                f"{where}.{stray[0]} is not expected: a component is a setting's own value"
            )
        elif key in taken and value != "???":
            problems += _check_value(where, value, taken[key].annotation, taken[key])
            # Of Any there is no finding.
            bound = bound_of(role, str(node["_target_"]), str(key), value)
            problems += _check_value(where, value, bound, None)
    for key, parameter in taken.items():
        needed = parameter.default is Parameter.empty and parameter.kind in NAMED
        if needed and key not in node and key not in component(role).provided:
            problems.append(
                f"{path}.{key} is missing: {node['_target_']} needs it, give +{path}.{key}=VALUE"
            )
    return problems


def _refused(key: str, signature: Signature, role: str) -> str | None:
    """Why `key` cannot be set in a config, or None if it can."""
    taken, provided = signature.parameters, (*component(role).provided, *NEVER_SET)
    name = signature.name
    open_ended = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in taken.values())
    if key.startswith("_"):
        return f"is not supported: leave it out, settings of {name} have plain names"
    if key in provided and (key in taken or open_ended):
        return "is given by mmclf itself: leave it out"
    if open_ended or (key in taken and taken[key].kind in NAMED):
        return None
    valid = [k for k, parameter in taken.items() if parameter.kind in NAMED and k not in provided]
    return f"is not a setting of {name}: {suggestion(key, valid)}"


def stray_targets(value: object, path: str = "") -> list[str]:
    """The paths of every `_target_` below `value`."""
    if isinstance(value, Mapping):
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        return []
    paths = []
    for key, item in pairs:
        paths += [f"{path}{key}"] if key == "_target_" else []
        paths += stray_targets(item, f"{path}{key}.")
    return paths


def _check_value(
    path: str, value: object, annotation: object, parameter: Parameter | None
) -> list[str]:
    """A finding if a value is not of a type, unless it is the default of a parameter."""
    # A default may contradict its annotation. True == 1, so the types count too.
    default = parameter.default if parameter is not None else Parameter.empty
    is_default = type(value) is type(default) and value == default
    if annotation is Any or is_default:
        return []
    try:
        config = ConfigDict(arbitrary_types_allowed=True, strict=True)
        adapter: TypeAdapter[object] = TypeAdapter(cast("type[object]", annotation), config=config)
        adapter.validate_python(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        wanted = pydantic_messages.expected(details, annotation)
        if wanted is not None:
            return [
                f"{path}: found {pydantic_messages.describe(value, details)}, expected {wanted}"
            ]
    except PydanticUserError:
        return []
    return []


def _annotation(parameter: Parameter, target: Callable[..., Any]) -> object:
    """The parameter's type, or Any where it cannot be evaluated."""
    home = target.__module__
    if home.partition(".")[0] not in WELL_ANNOTATED or parameter.annotation is Parameter.empty:
        return Any
    # One by one: a name imported for type checkers alone must not hide the other annotations.
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    try:
        return typing.get_type_hints(holder, vars(sys.modules[home]), include_extras=True)["it"]
    except (NameError, TypeError, AttributeError, SyntaxError):
        return Any
