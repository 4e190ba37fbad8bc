"""The names of numbered classes, as Hugging Face's data sets write them into Parquet files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmclf.errors import InputError

KEY = b"huggingface"
UNKNOWN = -1  # the number of a class that is not known


def class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """The names of the classes that the columns' numbers stand for, by column.

    `metadata` of a file's schema; what is not written as expected there names nothing.
    """
    try:
        features = json.loads((metadata or {}).get(KEY, b"{}"))["info"]["features"]
        by_column = {str(column): _names(feature) for column, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {column: names for column, names in by_column.items() if names is not None}


def _names(feature: Any) -> list[str] | None:
    """The names of a feature that is a class, or a list of such: `Sequence`, `List`, or `[...]`."""
    if isinstance(feature, list) and len(feature) == 1:
        return _names(feature[0])
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") in ("Sequence", "List", "LargeList"):
        return _names(feature.get("feature"))
    names = feature.get("names")
    is_named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if feature.get("_type") == "ClassLabel" and is_named else None


def with_names(
    path: Path, column: str, values: Sequence[object], names: Sequence[str]
) -> list[object]:
    """The values of a column with names instead of numbers, in lists too; None for unknown ones.

    Raises InputError for a number that has no name.
    """

    def named(value: object, row: int) -> object:
        if isinstance(value, list):
            return [named(item, row) for item in value]
        if isinstance(value, bool) or not isinstance(value, int):
            return value
        if value == UNKNOWN:
            return None
        if not 0 <= value < len(names):
            raise InputError(
                f"{path}, row {row}: the column {column!r} holds the class {value}, and the file "
                f"names {len(names)} classes, 0 to {len(names) - 1}: write the file anew"
            )
        return names[value]

    return [named(value, row) for row, value in enumerate(values, start=1)]
