"""Walks through the plain form of a config, by dotted keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# Where Hydra repeats what the command line sets.
COPIES = ("hydra.overrides.", "hydra.job.override_dirname")


def nodes(node: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value below `node` with its dotted key, the containers' own included."""
    if isinstance(node, Mapping):
        pairs = [(str(key), value) for key, value in node.items()]
    elif isinstance(node, list):
        pairs = [(str(index), value) for index, value in enumerate(node)]
    else:
        return
    for key, value in pairs:
        where = f"{path}.{key}" if path else key
        yield where, value
        yield from nodes(value, where)


def select(node: object, key: str) -> object:
    """The value of a dotted key of mappings; None if there is none."""
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node
