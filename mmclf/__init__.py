"""Ablation studies of multimodal, multi-label classifiers.

`compose(overrides)` gives a checked configuration, `run(configuration)` its result.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmclf.config.composition import compose
    from mmclf.pipeline import Result, run

__all__ = ["Result", "compose", "run"]

HOMES = {"compose": "mmclf.config.composition", "run": "mmclf.pipeline", "Result": "mmclf.pipeline"}


def __getattr__(name: str) -> object:
    # Imported at first use: the command line's help must not wait for torch.
    if name not in HOMES:
        raise AttributeError(f"module 'mmclf' has no attribute {name!r}; it has {', '.join(HOMES)}")
    return getattr(import_module(HOMES[name]), name)
