"""Types of single settings, with their bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import PydanticCustomError

Count = Annotated[int, Field(ge=1, lt=2**31, strict=True)]
Width = Annotated[int, Field(ge=1, le=65_536, strict=True)]
Views = Annotated[int, Field(ge=1, le=1_000, strict=True)]
Workers = Annotated[int, Field(ge=1, le=1_024, strict=True)]
NonNegative = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Probability = Annotated[float, Field(ge=0, le=1, strict=True)]
Share = Annotated[float, Field(gt=0, lt=1, strict=True)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Margin = Annotated[float, Field(ge=0, le=0.1, strict=True)]
# The first look at a study that stops when decided is after so many.
MostSeeds = Annotated[int, Field(ge=3, strict=True)]
Dropout = Annotated[float, Field(ge=0, lt=1, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(min_length=1)]
RegisteredName = Annotated[str, Field(pattern=r"^[^/:\s]([^/:]*[^/:\s])?$", max_length=256)]


def _on_or_off(value: object) -> object:
    """YAML takes a bare on or off for true or false."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


Switch = Annotated[Literal["on", "off"], BeforeValidator(_on_or_off)]


def in_words(value: object, handler: ValidatorFunctionWrapHandler, words: str) -> object:
    """The value, or one problem in words: pydantic has one for each alternative, of odd names."""
    try:
        return handler(value)
    except ValidationError:
        raise PydanticCustomError("alternatives", "{words}", {"words": words}) from None
