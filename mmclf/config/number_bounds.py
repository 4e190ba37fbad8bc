"""Bounds of numbers that a library takes, and would refuse only once a run has read its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

_AT_LEAST_0: Any = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_SHARE: Any = Annotated[float, Field(ge=0, le=1)]
_COUNT: Any = Annotated[int, Field(ge=1)]

# By config group, or target, and setting; what may also be left out is null there, which has no
# bound. Those of mmclf's own encoders stand here as an edit of their code would encode all anew.
BOUNDS: Mapping[str, Mapping[str, Any]] = {
    "optimizer": {
        "lr": _AT_LEAST_0,
        "weight_decay": _AT_LEAST_0,
        "momentum": _AT_LEAST_0,
        "eps": _AT_LEAST_0,
        "alpha": _AT_LEAST_0,
    },
    "scheduler": {"eta_min": _AT_LEAST_0, "pct_start": _SHARE, "gamma": _AT_LEAST_0},
    "loss": {"max_weight": _AT_LEAST_0, "label_smoothing": _SHARE},
    "mmclf.models.text.HuggingFaceEncoder": {"max_length": _COUNT},
    "mmclf.models.tfidf.Tfidf": {"max_features": _COUNT, "ngram_max": _COUNT, "min_df": _COUNT},
}


def bound_of(role: str, target: str, setting: str, value: object) -> Any:
    """The type that a number must be of, with its bounds; Any for another value, or without."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Any
    return BOUNDS.get(role, {}).get(setting, BOUNDS.get(target, {}).get(setting, Any))
