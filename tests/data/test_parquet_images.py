from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmclf.data import decoded_images, parquet_images
from mmclf.data.decoded_images import DecodedImages, decode_images
from mmclf.data.image_locations import ImageLocation, ParquetCell, image_digests
from mmclf.data.images import ImageBytes, decode_image
from mmclf.data.parquet_images import with_bytes
from mmclf.errors import InputError
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.store import Store

COUNT = 50  # more than two batches


def encoded(number: int) -> bytes:
    stream = io.BytesIO()
    picture = Image.new("RGB", (8 + number % 5, 6), (5 * number % 255, 100, 7))
    picture.save(stream, ("PNG", "JPEG", "WEBP")[number % 3])
    return stream.getvalue()


def write(path: Path, images: Sequence[Any], rows_of_group: int) -> list[ParquetCell]:
    frame = pd.DataFrame({"image": images, "more": range(len(images))})
    frame.to_parquet(path, row_group_size=rows_of_group)
    return [ParquetCell(path, "image", row) for row in range(len(images))]


def struct(content: bytes | None) -> dict[str, Any]:
    return {"bytes": content, "path": "a.png"}


def content_of(images: Sequence[ImageLocation]) -> list[bytes | None]:
    return [
        with_byte.content for with_byte in with_bytes(images) if isinstance(with_byte, ImageBytes)
    ]


def decoded(folder: Path, images: Sequence[ImageLocation]) -> DecodedImages:
    store = Store(folder / "store", "2 x CPU")
    return decode_images(images, size=4, crop=None, workers=2, store=store)


@pytest.mark.parametrize("is_struct", [True, False])
@pytest.mark.parametrize("rows_of_group", [COUNT, 20, 16, 1])
def test_bytes_are_those_that_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_struct: bool, rows_of_group: int
) -> None:
    content = [encoded(i) for i in range(COUNT)]
    images = [struct(one) for one in content] if is_struct else content
    cells = write(tmp_path / "t.parquet", images, rows_of_group)
    opened: list[int] = []
    reader = parquet_images._CellReader
    go = reader._open

    def counted(self: Any, group: int) -> None:
        opened.append(group)
        go(self, group)

    monkeypatch.setattr(reader, "_open", counted)
    assert content_of(cells) == content
    # Each row group is read once.
    assert opened == list(range(-(-COUNT // rows_of_group)))


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(st.integers(0, 2 * COUNT - 1), max_size=12))
def test_any_order_of_cells_files_and_others(tmp_path: Path, rows: list[int]) -> None:
    content = [str(i).encode() for i in range(2 * COUNT)]
    cells = [
        cell
        for i, name in enumerate(("a.parquet", "b.parquet"))
        for cell in write(
            tmp_path / name, [struct(c) for c in content[i * COUNT : (i + 1) * COUNT]], 20
        )
    ]
    actual = list(with_bytes([*(cells[row] for row in rows), None, tmp_path / "c.png"]))
    assert actual[-2:] == [None, tmp_path / "c.png"]
    assert actual[:-2] == [ImageBytes(str(cells[row]), content[row]) for row in rows]


def test_cells_without_bytes(tmp_path: Path) -> None:
    cells = write(tmp_path / "t.parquet", [struct(b"x"), struct(None), None, struct(b"y")], 2)
    assert content_of(cells) == [b"x", None, None, b"y"]
    assert content_of(write(tmp_path / "n.parquet", [struct(None)] * 3, 2)) == [None] * 3
    with pytest.raises(InputError, match=r"t\.parquet, row 2\W.*no bytes"):
        decode_image(ImageBytes(str(cells[1]), None), 4)


@pytest.mark.parametrize("limits", [(256, 2**28), (3, 2**28), (256, 1)])
def test_pixels_are_those_of_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]
) -> None:
    monkeypatch.setattr(decoded_images, "MAX_QUEUED", limits[0])
    monkeypatch.setattr(decoded_images, "MAX_QUEUED_BYTES", limits[1])
    content = [encoded(i) for i in range(COUNT)]
    paths = [tmp_path / f"{i}.x" for i in range(COUNT)]
    for path, one in zip(paths, content, strict=True):
        path.write_bytes(one)
    cells = write(tmp_path / "t.parquet", [struct(one) for one in content], 20)
    expected = np.array(decoded(tmp_path, paths).pictures)
    assert np.array_equal(decoded(tmp_path, cells).pictures, expected)
    assert np.array_equal(decoded(tmp_path, [*paths[:9], *cells[9:]]).pictures, expected)


def test_damaged_and_missing_ones_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [struct(encoded(0)), struct(b"no picture"), struct(None), struct(encoded(3)[:40])]
    cells = write(tmp_path / "t.parquet", images, 2)
    actual = decoded(tmp_path, cells)
    assert sorted(actual.unreadable) == [1, 2, 3]
    assert all(f"t.parquet, row {row + 1} " in actual.unreadable[row] for row in (1, 2, 3))
    assert actual.pictures[0].any()
    assert not actual.pictures[1:].any()
    # While the file stays, they are not read again.
    monkeypatch.setattr(decoded_images, "with_bytes", lambda _: pytest.fail("it was read again"))
    assert decoded(tmp_path, cells).unreadable == actual.unreadable


def test_digests_tell_files_columns_and_rows_apart(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", [struct(b"x"), struct(b"x")], 1)
    same = write(tmp_path / "b.parquet", [struct(b"x"), struct(b"x")], 1)
    hasher = FileHasher(tmp_path / "sums")
    (tmp_path / "c.png").write_bytes(b"x")
    other = ParquetCell(first[0].file, "more", 0)
    gone = ParquetCell(tmp_path / "gone.parquet", "image", 0)
    images: list[ImageLocation] = [
        first[0],
        tmp_path / "c.png",
        *same,
        other,
        tmp_path / "gone.png",
        gone,
        first[1],
    ]
    one, path, again, second, column, *missing, last = image_digests(images, hasher)
    assert (one, second, missing) == (again, last, [None, None])
    assert len({one, path, second, column}) == 4
    assert image_digests([tmp_path / "c.png"], hasher) == [path]
    write(first[0].file, [struct(b"x"), struct(b"y")], 1)
    assert image_digests(first, hasher)[0] not in (one, None)


@pytest.mark.parametrize("damage", ["gone", "cut", "bytes"])
def test_a_file_that_cannot_be_read(tmp_path: Path, damage: str) -> None:
    drawn = np.random.default_rng(0)
    path = tmp_path / "t.parquet"
    cells = write(path, [struct(drawn.bytes(900)) for _ in range(9)], 3)
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[:-20])
    else:
        path.write_bytes(content[:4] + bytes(3000) + content[3004:])
    with pytest.raises(InputError, match=r"t\.parquet: .*images inside"):
        content_of(cells)
    if damage == "bytes":
        with pytest.raises(InputError, match="inside cannot be read"):
            decoded(tmp_path, cells)
