"""Ablation studies of multimodal, multi-label classifiers.

`compose(overrides)` gives a checked configuration, `run(configuration)` its result, and
`load(run_id)` what predicts as a run did.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmclf.config.compose import compose
    from mmclf.pipeline.predict.predictor import Predictor, load
    from mmclf.pipeline.run import Result, run

__all__ = ["Predictor", "Result", "compose", "load", "run"]

HOMES = {
    "compose": "mmclf.config.compose",
    "run": "mmclf.pipeline.run",
    "Result": "mmclf.pipeline.run",
    "load": "mmclf.pipeline.predict.predictor",
    "Predictor": "mmclf.pipeline.predict.predictor",
}


def __getattr__(name: str) -> object:
    # Late, at first use: docs/architecture.md#late-imports
    if name not in HOMES:
        raise AttributeError(f"module 'mmclf' has no attribute {name!r}; it has {', '.join(HOMES)}")
    return getattr(import_module(HOMES[name]), name)
