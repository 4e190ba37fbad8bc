"""Ablation studies of multimodal, multi-label classifiers.

`compose(overrides)` gives a checked configuration, `run(configuration)` its result, and
`load(run_id)` what predicts as a run did.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmclf.config.composition import compose
    from mmclf.pipeline import Result, run
    from mmclf.prediction.predictor import Predictor, load

__all__ = ["Predictor", "Result", "compose", "load", "run"]

HOMES = {
    "compose": "mmclf.config.composition",
    "run": "mmclf.pipeline",
    "Result": "mmclf.pipeline",
    "load": "mmclf.prediction.predictor",
    "Predictor": "mmclf.prediction.predictor",
}


def __getattr__(name: str) -> object:
    # Imported at first use: the command line's help must not wait for torch.
    if name not in HOMES:
        raise AttributeError(f"module 'mmclf' has no attribute {name!r}; it has {', '.join(HOMES)}")
    return getattr(import_module(HOMES[name]), name)
