"""How large a configuration may be, counted before anything is expanded.

Ten lines of YAML whose aliases name one another hold 10^10 values, and interpolations and defaults
lists multiply alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from mmclf.config.interpolations import Interpolation, has_interpolation, interpolations
from mmclf.config.walk import COPIES, nodes
from mmclf.errors import InputError

MAX_FILE_BYTES = 1_000_000
MAX_NESTING = 50  # of values, of brackets, and of what interpolations lead to
MAX_NODES = (
    100_000  # keys and values, each counted as often as aliases and interpolations repeat it
)
MAX_FILES = 1_000  # that defaults lists lead to, each counted as often as they do
MAX_INTEGER = 2**63 - 1  # what libraries take
TEXT_OF_A_NODE = 100  # characters that count as one more

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
OPENING, CLOSING = "([{", ")]}"
# Resolvers whose first argument is the name of a setting.
SELECTING = ("oc.select", "oc.dict.keys", "oc.dict.values", "hydra")


def check_yaml(content: bytes, name: str) -> None:
    """Raise InputError for a config file that is too large, or would be once it is expanded.

    One that is no YAML is left to its reader. `name`: as a message begins.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"{name}: found more than {MAX_FILE_BYTES:,} bytes, expected no more")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: found no UTF-8 text ({error.reason}): save it as such"
        ) from error
    counter = _Counter(name)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            counter.take(event)
    except yaml.YAMLError:
        return


def check_brackets(text: str) -> str | None:
    """What is wrong with a text whose brackets, braces and interpolations are nested too deep."""
    depth = deepest = 0
    for character in text:
        if character in OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif character in CLOSING:
            depth = max(depth - 1, 0)
    if deepest <= MAX_NESTING:
        return None
    return f"brackets are nested {deepest} deep, expected at most {MAX_NESTING}"


def check_expansion(tree: Mapping[str, Any]) -> list[str]:
    """What is wrong with the size of an unresolved config once its interpolations are resolved."""
    try:
        size, _ = _Expansion(tree).measure(())
    except InputError as error:
        return [*error.problems]
    if size > MAX_NODES:
        return [
            f"the config has {size:,} values once its interpolations are resolved, expected at "
            f"most {MAX_NODES:,}"
        ]
    return []


def check_numbers(tree: Mapping[str, Any]) -> list[str]:
    """A problem for each whole number that is too large for the libraries that take it."""
    return [
        f"{where}: found a number of {_digits(value)} digits, expected at most {MAX_INTEGER}"
        for where, value in nodes(tree)
        if isinstance(value, int) and abs(value) > MAX_INTEGER
    ]


class _Counter:
    """Counts the nodes of a YAML file by its events, an anchor's content at each of its aliases."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[tuple[str | None, list[int]]] = [(None, [0, 0])]  # nodes, height
        self._anchors: dict[str, tuple[int, int]] = {}

    def take(self, event: yaml.Event) -> None:
        """Count an event; raises InputError for too much."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, [1, 1]))
            self._check(1, 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, (nodes, height) = self._open.pop()
            self._close(anchor, nodes, height)
        elif isinstance(event, yaml.ScalarEvent):
            problem = check_brackets(event.value) if "${" in event.value else None
            if problem is not None:
                raise InputError(f"{self._name}: {problem}")
            self._close(event.anchor, 1 + len(event.value) // TEXT_OF_A_NODE, 1)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise InputError(
                    f"{self._name}: *{event.anchor} stands within what it names, or before it: "
                    "expected an alias of what is complete"
                )
            self._close(None, *self._anchors[event.anchor])

    def _close(self, anchor: str | None, nodes: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = nodes, height
        parent = self._open[-1][1]
        parent[0] += nodes
        parent[1] = max(parent[1], height + 1)
        self._check(parent[0], height)

    def _check(self, nodes: int, height: int) -> None:
        if nodes > MAX_NODES:
            raise InputError(
                f"{self._name}: found more than {MAX_NODES:,} values once its aliases are "
                "expanded, expected no more"
            )
        if len(self._open) - 1 + height - 1 > MAX_NESTING:
            raise InputError(f"{self._name}: found values nested more than {MAX_NESTING} deep")


class _Expansion:
    """Measures nodes of an unresolved config: how many values each expands to, and how deep."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._tree = tree
        self._known: dict[tuple[str, ...], tuple[int, int]] = {}

    def measure(self, path: tuple[str, ...], depth: int = 0) -> tuple[int, int]:
        """The number of values at `path`, and their height; raises InputError if too deep."""
        if path not in self._known:
            self._check(path, depth)
            self._known[path] = self._measured(path, depth)
        size, height = self._known[path]
        self._check(path, depth + height)
        return min(size, 10 * MAX_NODES), height

    def _check(self, path: tuple[str, ...], depth: int) -> None:
        if depth > MAX_NESTING:
            raise InputError(
                f"{'.'.join(path)}: found values nested more than {MAX_NESTING} deep once "
                "interpolations are resolved, or one that leads to itself"
            )

    def _measured(self, path: tuple[str, ...], depth: int) -> tuple[int, int]:
        value = _at(self._tree, path)
        if isinstance(value, Mapping):
            parts: Iterable[tuple[str, ...]] = [(*path, str(key)) for key in value]
        elif isinstance(value, list):
            parts = [(*path, str(index)) for index in range(len(value))]
        elif isinstance(value, str):
            targets = [_target(path, interpolation) for interpolation in _references(path, value)]
            parts = [target for target in targets if target is not None]
            measured = [self.measure(part, depth + 1) for part in parts]
            size = 1 + len(value) // TEXT_OF_A_NODE + sum(size for size, _ in measured)
            return size, 1 + max((height for _, height in measured), default=0)
        else:
            return 1, 1
        measured = [self.measure(part, depth + 1) for part in parts]
        size = 1 + sum(size for size, _ in measured)
        return size, 1 + max((height for _, height in measured), default=0)


def _digits(value: int) -> int:
    """The decimal digits of a number, or one more; `str` refuses one of more than 4,300."""
    return int(value.bit_length() * math.log10(2)) + 1


def _references(path: tuple[str, ...], value: str) -> tuple[Interpolation, ...]:
    # Hydra's copies of overrides are not resolved.
    if not has_interpolation(value) or ".".join(path).startswith(COPIES):
        return ()
    return interpolations(value)


def _target(path: tuple[str, ...], interpolation: Interpolation) -> tuple[str, ...] | None:
    """Where an interpolation leads, at least the beginning; None if to no setting."""
    keys, dots = interpolation.keys, interpolation.dots
    if interpolation.resolver is not None:
        name = (
            interpolation.arguments[0]
            if interpolation.resolver in SELECTING and interpolation.arguments
            else ""
        )
        dots = len(name) - len(name.lstrip("."))
        keys = tuple(part for part in name.lstrip(".").split(".") if part)
        if interpolation.resolver == "hydra":
            keys = ("hydra", *keys)
    if not keys or any("${" in key for key in keys):
        return None
    return (*path[: max(len(path) - dots, 0)], *keys) if dots > 0 else keys


def _at(tree: object, path: tuple[str, ...]) -> object:
    for part in path:
        if isinstance(tree, Mapping):  # whose keys may be numbers
            tree = next((value for key, value in tree.items() if str(key) == part), None)
        elif isinstance(tree, list) and part.isdecimal() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree
