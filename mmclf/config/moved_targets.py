"""Targets that have moved: configs and tracked runs that name the old path go on working."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# By the old module; what it defines has kept its names.
MOVED_MODULES: Mapping[str, str] = {
    "mmclf.data.coco": "mmclf.data.sources.coco",
    "mmclf.data.competition": "mmclf.data.sources.competition",
    "mmclf.data.demo": "mmclf.data.sources.demo",
    "mmclf.data.table": "mmclf.data.sources.table",
    "mmclf.losses": "mmclf.models.losses",
    "mmclf.thresholds": "mmclf.evaluation.thresholds",
}


def current_target(name: str) -> str:
    """The path of a target today: another one if its module has moved."""
    module, dot, last = name.rpartition(".")
    return f"{MOVED_MODULES.get(module, module)}{dot}{last}"


def with_current_targets(node: Any) -> Any:
    """A copy of plain containers, with today's path in each `_target_` at any depth."""
    if isinstance(node, Mapping):
        return {
            key: current_target(value)
            if key == "_target_" and isinstance(value, str)
            else with_current_targets(value)
            for key, value in node.items()
        }
    return [with_current_targets(item) for item in node] if isinstance(node, list) else node


def moved_targets(node: object) -> Iterator[str]:
    """The old paths in each `_target_` at any depth."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "_target_" and isinstance(value, str) and current_target(value) != value:
                yield value
            yield from moved_targets(value)
    elif isinstance(node, list):
        for item in node:
            yield from moved_targets(item)


def notice(old: str) -> str:
    """A line that says where the target of an old path is today."""
    return f"mmclf: _target_ {old} has moved: write {current_target(old)}\n"
