"""Ablation studies of multimodal, multi-label classifiers.

`compose(overrides)` gives a checked configuration, `run(configuration or overrides)` its result,
and `load(run_id)` what predicts as a run did. `sweep(overrides)` and `study(overrides)` run many,
`report(...)` reads them back; a notebook shows what they give. `compare(labels, predictions)` says
which of anybody's predictions are better, worse or as good.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmclf.config.compose import compose
    from mmclf.notebook.many_runs import study, sweep
    from mmclf.notebook.reading import report
    from mmclf.pipeline.predict.predictor import Predictor, load
    from mmclf.pipeline.result import Result
    from mmclf.pipeline.run import run
    from mmclf.studies.comparison import compare

__all__ = [
    "Predictor",
    "Result",
    "compare",
    "compose",
    "load",
    "report",
    "run",
    "study",
    "sweep",
]

HOMES = {
    "compose": "mmclf.config.compose",
    "run": "mmclf.pipeline.run",
    "Result": "mmclf.pipeline.result",
    "load": "mmclf.pipeline.predict.predictor",
    "Predictor": "mmclf.pipeline.predict.predictor",
    "compare": "mmclf.studies.comparison",
    "sweep": "mmclf.notebook.many_runs",
    "study": "mmclf.notebook.many_runs",
    "report": "mmclf.notebook.reading",
}


def __getattr__(name: str) -> object:
    # Late, at first use: docs/architecture.md#late-imports
    if name not in HOMES:
        raise AttributeError(f"module 'mmclf' has no attribute {name!r}; it has {', '.join(HOMES)}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
