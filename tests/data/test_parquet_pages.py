"""Pages of Parquet files: their sizes as Arrow writes them, and those that claim too much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data import parquet_pages
from mmclf.data.image_locations import ParquetCell
from mmclf.data.parquet_images import with_bytes
from mmclf.data.parquet_pages import Page, check_pages, leaves_of, pages
from mmclf.data.sources.tables.parquet import read_parquet
from mmclf.errors import InputError

# A header with the sizes 7 unpacked and 5 packed, as bytes of the compact protocol: field 1 is the
# kind of page, an i32 each with its sign in the lowest bit, then the end of the struct.
HEADER = bytes([0x15, 0, 0x15, 14, 0x15, 10, 0])


def written(path: Path, table: Any, **settings: Any) -> pq.ParquetFile:
    pq.write_table(pa.table(table), path, **settings)
    return pq.ParquetFile(path)


def test_a_header_by_hand() -> None:
    data = b"PAR1" + HEADER + b"12345" + HEADER + b"12345"
    assert list(pages(data, 4, len(data))) == [Page(5, 7), Page(5, 7)]


def test_fields_that_are_not_needed_are_passed_over() -> None:
    nested = bytes([0x2C, 0x15, 2, 0x18, 3, 1, 2, 3, 0x11, 0x13, 9, 0])  # field 5: a struct of four
    lists = bytes(
        [0x19, 0x25, 2, 4, 0x19, 0x11, 1, 0x17, *bytes(8)]
    )  # two numbers, a truth, a double
    data = HEADER[:-1] + nested + lists + b"\0" + b"12345"
    assert list(pages(data, 0, len(data))) == [Page(5, 7)]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["NONE", "SNAPPY", "ZSTD"])
def test_all_pages_of_a_column_are_seen(tmp_path: Path, version: str, compression: str) -> None:
    texts = [f"a caption {number % 700}" for number in range(20_000)]
    file = written(
        tmp_path / "a.parquet",
        {"number": np.arange(20_000), "text": texts},
        data_page_version=version,
        compression=compression,
        data_page_size=4096,
        row_group_size=9_000,
    )
    data = (tmp_path / "a.parquet").read_bytes()
    for group in range(3):
        for leaf in range(2):
            chunk = file.metadata.row_group(group).column(leaf)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            sizes = list(pages(data, start, start + chunk.total_compressed_size))
            assert len(sizes) > 1
            # The chunk's own sums are with the headers, of some 20 to 100 bytes each.
            for of_pages, of_chunk in (
                (sum(page.packed for page in sizes), chunk.total_compressed_size),
                (sum(page.unpacked for page in sizes), chunk.total_uncompressed_size),
            ):
                assert 10 * len(sizes) < of_chunk - of_pages < 120 * len(sizes)


def test_leaves_are_found_below_their_columns(tmp_path: Path) -> None:
    image = [{"bytes": b"x", "path": "a"}]
    file = written(tmp_path / "a.parquet", {"id": [1], "image": image, "tags": [["a", "b"]]})
    assert leaves_of(file, ["id"]) == [0]
    assert leaves_of(file, ["image"]) == [1, 2]
    assert leaves_of(file, ["image.bytes", "tags"]) == [1, 3]


def claimed(path: Path, size: int) -> None:
    """Let the first page of the first column claim `size` bytes unpacked, in as many bytes."""
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(0)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    (first, *_) = pages(path.read_bytes(), start, start + chunk.total_compressed_size)
    before, after = (b"\x15" + _varint(2 * n) for n in (first.unpacked, size))
    content = path.read_bytes()
    assert len(before) == len(after)
    at = content.index(before, start)
    path.write_bytes(content[:at] + after + content[at + len(after) :])


def _varint(value: int) -> bytes:
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def read_texts(path: Path) -> None:
    read_parquet(path, ["a"])


def read_images(path: Path) -> None:
    list(with_bytes([ParquetCell(path, "a", 0, "")]))


@pytest.mark.hostile("data")
@pytest.mark.parametrize(
    ("content", "read"), [("text" * 10**6, read_texts), (b"byte" * 10**6, read_images)]
)
def test_a_page_that_claims_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, read: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.parquet"
    written(path, {"a": [content]}, compression="ZSTD", use_dictionary=False)
    read(path)  # 4 MB in a few bytes are still little
    monkeypatch.setattr(parquet_pages, "IMAGE_BYTES", 5 * 10**6)
    read(path)
    claimed(path, 6 * 10**6)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == Naming(str(path), "'a'", "6 MB", "5 MB")


@pytest.mark.hostile("data")
def test_a_large_page_of_what_cannot_be_packed_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    content = np.random.default_rng(0).bytes(3 * 10**6)
    file = written(path, {"a": [content]}, use_dictionary=False)
    monkeypatch.setattr(parquet_pages, "IMAGE_BYTES", 10**6)
    check_pages(path, file, 0, [0])
    assert [image.content for image in with_bytes([ParquetCell(path, "a", 0, "")])] == [content]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEADER[:-1],  # without an end
        HEADER[:4] + b"\0",  # without the second size
        bytes([0x15, 0, 0x15, 14, 0x15, 11, 0]),  # -6 bytes
        bytes([0x1B, 0]),  # a map
        bytes([0x18, 0xFF, 0xFF, 0x7F]),  # a text beyond the end
        b"\x1c" * 100,  # structs in structs
        b"\x15" + b"\xff" * 20,
    ],
)
@pytest.mark.hostile("data")
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="page"):
        list(pages(data, 0, max(len(data), 1)))


@given(st.binary(max_size=200))
def test_any_bytes_are_pages_or_refused(data: bytes) -> None:
    try:
        sizes = list(pages(data, 0, len(data)))
    except ValueError:
        return
    assert all(page.packed >= 0 and page.unpacked >= 0 for page in sizes)
    assert len(sizes) <= len(data)
