"""The parameters of a shipped component as its source has them, without importing its library.

Torch, timm and transformers take seconds to import. Where a command is refused anyway, this is how
all that is wrong is found in less. It decides nothing else: a config without a mistake is checked
against the imported target (`mmclf.config.targets.resolve`).
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util
import re
import sys
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

from mmclf.config.shipped import conf_dir

TARGET = re.compile(r"^_target_: (\S+)$", re.MULTILINE)
MOST_IMPORTS = 4  # that lead from a name to where it is defined
# Whose names are taken as they are, all of them imported already.
LIGHT = ("collections.abc", "numbers", "pathlib", "pydantic", "typing")


@functools.cache
def shipped_targets(group: str) -> frozenset[str]:
    """The targets of a config group's shipped levels."""
    levels = (conf_dir() / group).glob("*.yaml")
    texts = (path.read_text(encoding="utf-8") for path in levels)
    return frozenset(target for text in texts for target in TARGET.findall(text)) - {"null"}


@dataclass(frozen=True)
class Signature:
    """What a component takes.

    Args:
        name: of the class or function, with the module that defines it.
        parameters: by name, with evaluated annotations.

    """

    name: str
    parameters: Mapping[str, Parameter]


@functools.cache
def source_signature(target: str) -> Signature | None:
    """What a class or function takes; None if it has no source, or none that says so.

    The annotation is Any where a name in it is defined by no source that is read. Defaults that are
    no literals are `...`.
    """
    module, _, name = target.rpartition(".")
    try:
        definition = _definition(module, name)
    except (OSError, SyntaxError, ValueError):
        return None
    if definition is None:
        return None
    node, is_method = definition.node, False
    if isinstance(node, ast.ClassDef):
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        own = [method for method in methods if method.name == "__init__"]
        if not own:
            return None
        node, is_method = own[0], True
    if not isinstance(node, ast.FunctionDef):
        return None
    listed = list(_parameters(node.args, definition.module))[1 if is_method else 0 :]
    return Signature(
        f"{definition.module}.{name}",
        MappingProxyType({parameter.name: parameter for parameter in listed}),
    )


@dataclass(frozen=True)
class _Definition:
    """The statement that defines a name, and the module that it stands in."""

    module: str
    node: ast.stmt


def _definition(module: str, name: str, imports: int = MOST_IMPORTS) -> _Definition | None:
    """Where a name of a module is defined, there or where it is imported from."""
    tree = _tree(module)
    if tree is None:
        return None
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return _Definition(module, node)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and name in _assigned(node):
            return _Definition(module, node)
        if isinstance(node, ast.ImportFrom) and imports > 0:
            imported = {alias.asname or alias.name: alias.name for alias in node.names}
            original = name if "*" in imported else imported.get(name)
            if original is not None:
                definition = _definition(_absolute(module, node), original, imports - 1)
                if definition is not None or "*" not in imported:
                    return definition
    return None


def _assigned(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _absolute(module: str, node: ast.ImportFrom) -> str:
    """The module that a statement of `module` imports from."""
    if node.level == 0:
        return str(node.module)
    file = _file(module)
    is_package = file is not None and file.name == "__init__.py"
    above = module.split(".")[: len(module.split(".")) - node.level + (1 if is_package else 0)]
    return ".".join([*above, *([node.module] if node.module is not None else [])])


@functools.cache
def _tree(module: str) -> ast.Module | None:
    file = _file(module)
    return None if file is None else ast.parse(file.read_bytes())


def _file(module: str) -> Path | None:
    """The source of a module; only its outermost package is looked for as an import would."""
    root, *parts = module.split(".")
    spec = importlib.util.find_spec(root)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*parts)
    files = (path / "__init__.py", path.with_suffix(".py")) if parts else (Path(spec.origin),)
    return next((file for file in files if file.is_file()), None)


def _parameters(arguments: ast.arguments, module: str) -> Iterator[Parameter]:
    """The parameters in order, self included."""
    positional = [*arguments.posonlyargs, *arguments.args]
    without = [None] * (len(positional) - len(arguments.defaults))
    for index, (own, default) in enumerate(
        zip(positional, [*without, *arguments.defaults], strict=True)
    ):
        is_named = index >= len(arguments.posonlyargs)
        kind = Parameter.POSITIONAL_OR_KEYWORD if is_named else Parameter.POSITIONAL_ONLY
        yield _parameter(own, kind, default, module)
    if arguments.vararg is not None:
        yield _parameter(arguments.vararg, Parameter.VAR_POSITIONAL, None, module)
    for own, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(own, Parameter.KEYWORD_ONLY, default, module)
    if arguments.kwarg is not None:
        yield _parameter(arguments.kwarg, Parameter.VAR_KEYWORD, None, module)


def _parameter(own: ast.arg, kind: Any, default: ast.expr | None, module: str) -> Parameter:
    value = Parameter.empty if default is None else _literal(default)
    return Parameter(own.arg, kind, default=value, annotation=_annotation(own.annotation, module))


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...


def _annotation(node: ast.expr | None, module: str) -> object:
    if node is None:
        return Any
    written = node.value if isinstance(node, ast.Constant) else ast.unparse(node)
    try:
        return _evaluated(str(written), module)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return Any


def _evaluated(expression: str, module: str) -> object:
    """What an annotation is, or Any; raises NameError for a name that no source read defines."""
    tree = ast.parse(expression, mode="eval")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    known = {name: _value(name, module) for name in names}
    holder = SimpleNamespace(__annotations__={"it": expression})
    return typing.get_type_hints(holder, known, include_extras=True)["it"]


def _value(name: str, module: str) -> object:
    """What a name in an annotation of a module stands for; of a class a stand-in."""
    if hasattr(builtins, name):
        return getattr(builtins, name)
    light = _light(name, module)
    if light is not None:
        return light
    definition = _definition(module, name)
    if definition is None:
        raise NameError(name)
    node = definition.node
    if isinstance(node, ast.ClassDef):
        # No config file holds an object of it.
        return type(name, (), {})
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        value = _literal(node.value)
        return _evaluated(ast.unparse(node.value), definition.module) if value is ... else value
    raise NameError(name)


def _light(name: str, module: str) -> object | None:
    """What a module imports under a name from one of those that take no time to import."""
    tree = _tree(module)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module in LIGHT:
            for alias in node.names:
                if name == (alias.asname or alias.name) and str(node.module) in sys.modules:
                    light: object = getattr(sys.modules[str(node.module)], alias.name)
                    return light
    return None
