"""Reader of JSON lines: an object on each line, whose keys are the columns."""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from mmclf.data.problems import shown
from mmclf.data.sources.tables.columns import FileColumns, chosen_columns
from mmclf.data.sources.tables.text_stream import AUTO, open_text
from mmclf.errors import InputError

JSON_LINES = (".jsonl", ".ndjson")


def read_json_lines(
    path: Path, wanted: Sequence[str], optional: Collection[str] = (), encoding: str = AUTO
) -> FileColumns:
    """Read the wanted columns; what an object lacks is None.

    Raises InputError if the file cannot be read, a line is no object, or none has a wanted key.

    Args:
        path: of the file.
        wanted: names of columns, or `PREFIX*`.
        optional: those of them that may be missing.
        encoding: as in `open_text`.

    """
    names, prefixes = frozenset(wanted), tuple(n[:-1] for n in wanted if n.endswith("*"))
    header: dict[str, None] = {}
    rows: list[dict[str, object]] = []
    numbers = array("q")
    with open_text(path, encoding) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            row = _parsed(line, path, number)
            header.update(dict.fromkeys(row))
            numbers.append(number)
            rows.append(
                {k: value for k, value in row.items() if k in names or k.startswith(prefixes)}
            )
    columns = chosen_columns(path, list(header), wanted, optional)
    lines_read = np.frombuffer(numbers, np.int64) if numbers else np.zeros(0, np.int64)
    return FileColumns(
        path, "line", lines_read, {name: [row.get(name) for row in rows] for name in columns}
    )


def _parsed(line: str, path: Path, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}, line {number} is no JSON ({error}): expected an object on each line"
        ) from error
    if not isinstance(row, dict):
        raise InputError(
            f"{path}, line {number}: found {shown(row)}, expected an object, as "
            '{"image": "a.jpg", "labels": ["dog"]}'
        )
    return row
