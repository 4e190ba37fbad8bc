"""Pydantic's errors as words: what was expected, and the value that stands there instead."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence

from pydantic_core import ErrorDetails

from mmclf.errors import nearest

WORDS: Mapping[str, str] = {
    "bool_type": "true or false",
    "dataclass_type": "a mapping",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "is_instance_of": "",  # a class that YAML cannot spell is no advice
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "mapping_type": "a mapping",
    "none_required": "null",
    "sequence_str": "a list",
    "string_pattern_mismatch": "a text like {pattern}",
    "string_too_short": "a text that is not empty",
    "string_type": "a text",
}


def expected(details: Sequence[ErrorDetails], annotation: object) -> str | None:
    """The alternatives that a value missed, or None where they cannot be told from YAML.

    A list for a tuple or a text for a Path is what the YAML file of such a setting holds.
    """
    words = []
    for detail in details:
        context = detail.get("ctx", {})
        if detail["type"] not in WORDS or context.get("class") == "Path":
            return None
        words.append(WORDS[detail["type"]].format(**context))
    if type(None) in typing.get_args(annotation):
        words.append("null")
    return " or ".join(dict.fromkeys(word for word in words if word)) or "another value"


def describe(value: object, details: Sequence[ErrorDetails] = ()) -> str:
    """The value as it stands in the config, shortened, with the nearest choice if misspelt."""
    shown = "null" if value is None else repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    for detail in details:
        if detail["type"] == "literal_error":
            choices = str(detail.get("ctx", {}).get("expected", "")).replace("'", "")
            best = nearest(str(value), choices.replace(" or ", ", ").split(", "))
            return shown if best is None else f"{shown} (did you mean {best!r}?)"
    return shown
