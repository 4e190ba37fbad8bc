"""pyarrow, an extra that only Parquet files need, and what to do where it is not installed."""

from __future__ import annotations

from typing import Any

from mmclf.errors import InputError


def load_pyarrow(path: object = "Parquet", instead: str = "take a CSV file") -> Any:
    """The library with its module `parquet`; raises InputError if it is not installed.

    Args:
        path: what the message is about.
        instead: what to do without the library.

    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{path}: Parquet needs pyarrow: pip install 'mmclf[parquet]', or {instead}"
        ) from error
    return pyarrow
