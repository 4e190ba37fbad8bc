"""Bounds of numbers that a library takes, and would refuse only once a run has read its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

_AT_LEAST_0: Any = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_SHARE: Any = Annotated[float, Field(ge=0, le=1)]

# By config group and setting; what may also be left out is null there, which has no bound.
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
}


def bound_of(role: str, setting: str, value: object) -> Any:
    """The type that a number must be of, with its bounds; Any for another value, or without."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return BOUNDS.get(role, {}).get(setting, Any) if is_number else Any
