"""Parquet files that claim to be larger than they are: a line, and no memory."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from message_facts import Naming

from mmclf.data.guess import preview
from mmclf.data.image_locations import ParquetCell
from mmclf.data.parquet_images import with_bytes
from mmclf.data.sources.tables import parquet_batches
from mmclf.data.sources.tables.parquet import read_parquet
from mmclf.data.sources.tables.parquet_batches import read_batches, values
from mmclf.errors import InputError
from mmclf.storage.file_limits import MB

LARGE = "x" * 10**6
SMALLEST = 10**6  # a file of bombs is smaller


def repeated(value: Any, count: int) -> Any:
    """A column that has one value so often, and takes the space of one."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([value]))


def bombs() -> dict[str, Any]:
    many = 200_000
    offsets = pa.array(np.arange(0, many + 1, many // 100, dtype=np.int32))
    return {
        "texts": repeated(LARGE, many),
        "lists of texts": pa.ListArray.from_arrays(offsets, repeated(LARGE, many)),
        "numbers": pa.array(np.zeros(2 * 10**7, np.int8)),
        "lists of numbers": pa.ListArray.from_arrays(
            pa.array([0, 2 * 10**7], pa.int32()), pa.array(np.zeros(2 * 10**7, np.int8))
        ),
        "paths": pa.StructArray.from_arrays(
            [repeated(b"x", many), repeated(LARGE, many)], ["bytes", "path"]
        ),
    }


@pytest.mark.hostile("data")
@pytest.mark.parametrize("name", sorted(bombs()))
@pytest.mark.parametrize("has_schema", [False, True])
def test_a_small_file_of_large_columns_is_refused(
    tmp_path: Path, name: str, has_schema: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_batches, "TABLE_CELLS", 10**7)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": bombs()[name]}), path, store_schema=has_schema)
    assert path.stat().st_size < SMALLEST
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError) as caught:
        read_parquet(path, ["a"], pictures="a" if name == "paths" else None)
    (problem,) = caught.value.problems
    assert problem == Naming(f"{path} has", "expected at most")
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert taken * 1024 < 500 * MB


@pytest.mark.hostile("data")
def test_the_preview_of_large_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": repeated("x" * 4 * 10**6, 10**4)}), path)
    with pytest.raises(InputError, match="expected at most"):
        preview.read_preview(path)


def test_what_is_below_the_limits_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"a": ["xy", None, "xy"], "b": [1, 2, None], "c": [["é"], [], None]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    monkeypatch.setattr(parquet_batches, "TEXT_BYTES", 6)
    monkeypatch.setattr(parquet_batches, "TABLE_CELLS", 9)
    columns = read_parquet(path, ["a", "b", "c"]).columns
    assert columns == {"a": ["xy", None, "xy"], "b": [1, 2, None], "c": [["é"], [], None]}
    monkeypatch.setattr(parquet_batches, "TEXT_BYTES", 5)
    with pytest.raises(InputError, match="MB of texts"):
        read_parquet(path, ["a", "b", "c"])
    monkeypatch.setattr(parquet_batches, "TABLE_CELLS", 8)
    with pytest.raises(InputError, match="9 values"):
        read_parquet(path, ["a", "b", "c"])


def test_a_text_that_many_rows_have_is_one_object(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a.b": [LARGE] * 3}), path)
    read = [value for batch in read_batches(path, ["a.b"]) for value in values(batch.column(0))]
    assert read == [LARGE] * 3
    assert len({id(value) for value in read}) == 1


@pytest.mark.hostile("data")
def test_bytes_of_a_fixed_width_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([b"xy"], pa.binary(2))}), path)
    with pytest.raises(InputError, match="holds bytes"):
        read_parquet(path, ["a"])


@pytest.mark.hostile("data")
def test_of_one_large_image_in_many_rows_one_is_in_memory(tmp_path: Path) -> None:
    path, size = tmp_path / "a.parquet", 50 * 10**6
    pq.write_table(pa.table({"a": repeated(bytes(size), 64)}), path, store_schema=False)
    assert path.stat().st_size < 3 * MB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for image in with_bytes(ParquetCell(path, "a", row, "") for row in range(64)):
        assert image.content is not None
        assert len(image.content) == size
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert taken * 1024 < 10 * size


@pytest.mark.parametrize("count", [10, 30_000])
@pytest.mark.parametrize("rows", [10**6, 7_000])
def test_more_texts_than_a_dictionary_holds_are_read(tmp_path: Path, count: int, rows: int) -> None:
    texts = [f"{'a caption of some length' * 3} {number}" for number in range(count)]
    table = {
        "flat": texts,
        "lists": [[text, "b"] for text in texts],
        "image": [{"bytes": b"x", "path": text} for text in texts],
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(table), path, row_group_size=rows)
    columns = read_parquet(path, ["flat", "lists", "image"], pictures="image").columns
    assert columns["flat"] == texts
    assert columns["lists"] == table["lists"]
    assert [cell.name for cell in columns["image"] if isinstance(cell, ParquetCell)] == texts
