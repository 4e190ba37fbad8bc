"""The interpolations in a composed config, read by OmegaConf's own grammar and never resolved."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from omegaconf.errors import GrammarParseError
from omegaconf.grammar_parser import parse

RESOLVER, NODE, KEY, NAME = (
    f"{name}Context"
    for name in ("InterpolationResolver", "InterpolationNode", "ConfigKey", "ResolverName")
)


@dataclass(frozen=True)
class Interpolation:
    """One `${...}`, as in `${oc.env:HOME,x}` or `${..store.dir}`.

    Args:
        text: as it is written.
        resolver: the one that it calls; None if it names a setting.
        keys: of the setting, up to one that another interpolation makes.
        dots: that stand before the keys, of a name that is relative.
        arguments: of the resolver, as they are written, without quotes around them.
        is_plain: whether its name is written out, and no interpolation makes a part of it.

    """

    text: str
    resolver: str | None
    keys: tuple[str, ...]
    dots: int
    arguments: tuple[str, ...]
    is_plain: bool


def has_interpolation(value: object) -> bool:
    """Whether a value is a text that OmegaConf may resolve."""
    return isinstance(value, str) and "${" in value


@functools.lru_cache(maxsize=1024)
def interpolations(text: str) -> tuple[Interpolation, ...]:
    """All of them in a text, also those inside of others; none where OmegaConf cannot read it."""
    try:
        return tuple(_interpolations(parse(text)))
    except GrammarParseError:
        return ()


def _interpolations(node: Any) -> Iterator[Interpolation]:
    kind, children = type(node).__name__, getattr(node, "children", None) or []
    if kind == RESOLVER:
        name = next(child for child in children if type(child).__name__ == NAME)
        sequence = node.sequence()
        arguments = [element.getText() for element in sequence.element()] if sequence else []
        unquoted = tuple(_unquoted(text) for text in arguments)
        yield Interpolation(node.getText(), name.getText(), (), 0, unquoted, _is_plain(name))
    elif kind == NODE:
        named = [child for child in children if type(child).__name__ == KEY]
        before = children.index(named[0])
        dots = sum(child.getText() == "." for child in children[:before])
        keys = []
        for key in named:
            if not _is_plain(key):
                break
            keys.append(key.getText())
        plain = len(keys) == len(named)
        yield Interpolation(node.getText(), None, tuple(keys), dots, (), plain)
    for child in children:
        yield from _interpolations(child)


def _is_plain(name: Any) -> bool:
    return not any(getattr(child, "children", None) for child in name.children)


def _unquoted(text: str) -> str:
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text
