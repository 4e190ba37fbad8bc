"""Files among a run's artifacts, which anyone may have written: they are read as what they must be.

What is wrong with one is an ArtifactError.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from mmclf.errors import ArtifactError, InputError
from mmclf.storage.file_limits import RECORD_BYTES, check_size
from mmclf.storage.store.arrays import load_arrays

T = TypeVar("T")
Finite = Annotated[float, Field(allow_inf_nan=False)]
Columns = dict[str, NDArray[Any]]
# The kinds of NumPy's dtypes that a column of predictions may have.
KINDS = {"ids": "U", "groups": "iu", "logits": "f", "labels": "biu"}


@dataclass(frozen=True)
class ModelSettings:
    """What a report needs of `model.json`: of L labels the thresholds and names."""

    thresholds: Annotated[list[Finite], Field(min_length=1)]
    empty: str
    label_names: list[str]


@dataclass(frozen=True)
class LabelShares:
    """The content of `label_shares.json`: by part the share (L,) of samples with each label."""

    shares: dict[str, list[Finite]]


def read_json(path: Path, expected: type[T]) -> T:
    """The content of a JSON file as an object of a dataclass, which need not know all keys."""
    try:
        check_size(path, RECORD_BYTES, "settings")
        content: T = TypeAdapter(expected).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        location = ".".join(map(str, first["loc"]))
        raise damaged(path, f"{location}: {first['msg']}" if location else first["msg"]) from error
    except (OSError, InputError) as error:
        raise damaged(path, error) from error
    return content


def read_columns(path: Path) -> Columns:
    """The columns of `predictions/PART.npz`: ids and groups (N,), logits and labels (N, L)."""
    try:
        columns = load_arrays(path)
        if "ids" in columns:
            # Files of before samples had groups have none: each sample is its own.
            columns.setdefault("groups", np.arange(columns["ids"].size))
        _check_columns(columns)
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    return columns


def _check_columns(columns: Columns) -> None:
    missing = [name for name in KINDS if name not in columns]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    shapes = {name: columns[name].shape for name in KINDS}
    rows, width = shapes["logits"] if len(shapes["logits"]) == 2 else (0, 0)
    expected = {"logits": (rows, width), "labels": (rows, width), "ids": (rows,), "groups": (rows,)}
    if width == 0 or shapes != expected:
        raise ValueError(f"found columns of the shapes {shapes}")
    kinds = {name: columns[name].dtype for name in KINDS}
    if rows > 0 and any(kind.kind not in KINDS[name] for name, kind in kinds.items()):
        raise ValueError(f"found columns of the types {kinds}")
    if not np.isin(columns["labels"], (0, 1)).all():
        raise ValueError("found labels other than 0 and 1")


def damaged(path: Path, reason: object) -> ArtifactError:
    """The error for a file that is not as a run leaves it."""
    return ArtifactError(f"{path} is damaged ({reason}): do the run again, or restore the file")
