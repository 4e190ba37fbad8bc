from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from message_facts import Naming

from mmclf.data.image_locations import ParquetCell
from mmclf.data.samples import Samples
from mmclf.data.sources.table import load
from mmclf.errors import InputError


def struct(path: str | None, content: bytes | None = b"x") -> dict[str, Any]:
    return {"bytes": content, "path": path}


def write(path: Path, images: Sequence[Any], **columns: Any) -> None:
    table = {"image": images, "labels": [["a"]] * len(images), "caption": ["c"] * len(images)}
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame(table | columns).to_parquet(path, row_group_size=2)


def loaded(folder: Path, inside: Sequence[Any], columns: Any = None, **settings: Any) -> Samples:
    write(folder / "t.parquet", inside, **(columns or {}))
    return load(str(folder), "t.parquet", **settings)


def problem(folder: Path, inside: Sequence[Any], columns: Any = None, **settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        loaded(folder, inside, columns, **settings)
    return str(caught.value)


def test_images_are_called_by_their_paths_or_their_rows(tmp_path: Path) -> None:
    names = ("a.jpg", None, "", "b")
    samples = loaded(tmp_path, [struct(name) for name in names], image_suffix=".jpg", images="no")
    expected = ("a.jpg", "t.parquet:2", "t.parquet:3", "b")
    assert samples.ids == expected
    file = tmp_path / "t.parquet"
    assert samples.images == tuple(
        ParquetCell(file, "image", row, name) for row, name in enumerate(expected)
    )
    assert not samples.are_grouped


@pytest.mark.parametrize("images", [[b"x", None], [{"bytes": b"x"}, None], [{"bytes": None}] * 2])
def test_images_without_a_path_field(tmp_path: Path, images: list[Any]) -> None:
    assert loaded(tmp_path, images).ids == ("t.parquet:1", "t.parquet:2")


def test_shards_and_parts(tmp_path: Path) -> None:
    for name, number in (("train-0", 0), ("train-1", 3), ("test-0", 6)):
        images = [struct(None), *(struct(f"{i}.jpg") for i in (number, number + 1))]
        write(tmp_path / "data" / f"{name}.parquet", images)
    samples = load(str(tmp_path), files={"train": "data/train-*", "test": "data/test-*"})
    first, second, third = (
        tmp_path / "data" / f"{n}.parquet" for n in ("train-0", "train-1", "test-0")
    )
    assert samples.ids == (
        *("data/train-0.parquet:1", "0.jpg", "1.jpg", "data/train-1.parquet:1", "3.jpg", "4.jpg"),
        *("data/test-0.parquet:1", "6.jpg", "7.jpg"),
    )
    assert samples.own_test.tolist() == [False] * 6 + [True] * 3
    assert [
        (image.file, image.row) for image in samples.images if isinstance(image, ParquetCell)
    ] == [(file, row) for file in (first, second, third) for row in range(3)]
    assert load(str(tmp_path), "data", caption_column=None).ids[3:] == samples.ids[:6]


def test_rows_of_one_image_are_a_group(tmp_path: Path) -> None:
    images = [struct("a"), struct("a"), struct("b"), struct(None), struct(None)]
    columns = {"id": ["1", "2", "3", "4", "5"], "group": ["p", "q", "q", "r", "r"]}
    samples = loaded(tmp_path, images, columns, id_column="id")
    assert samples.group_numbers.tolist() == [0, 0, 1, 2, 3]
    assert "'a'" in problem(tmp_path, images, columns, id_column="id", group_column="group")
    assert "a" in problem(tmp_path, images)


def test_joined_rows_have_the_image_of_the_first(tmp_path: Path) -> None:
    images = [struct("a"), struct("b"), struct("a")]
    columns = {"caption": ["1", "2", "3"], "labels": [["x"], ["x"], ["y"]]}
    samples = loaded(tmp_path, images, columns, rows="per_label", caption_use="each")
    assert samples.ids == ("a", "b")
    assert [image.row for image in samples.images if isinstance(image, ParquetCell)] == [0, 1]
    named = columns | {"id": ["1", "1", "2"], "labels": [["x"]] * 3}
    settings = {"id_column": "id", "caption_use": "each"}
    assert "different images" in problem(tmp_path, images, named, **settings)
    assert loaded(tmp_path, [struct(None)] * 3, named, **settings).ids == ("1", "2")


def test_dropped_rows_leave_the_others_theirs(tmp_path: Path) -> None:
    columns = {"labels": [[], ["x"], ["y"]]}
    samples = loaded(
        tmp_path, [struct(None), struct("b"), struct(None)], columns, unlabelled="drop"
    )
    assert samples.ids == ("b", "t.parquet:3")
    assert [image.row for image in samples.images if isinstance(image, ParquetCell)] == [1, 2]


def test_files_with_images_beside_files_with_paths(tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.parquet", [struct("a")])
    write(tmp_path / "d" / "b.parquet", ["b.jpg"])
    with pytest.raises(InputError, match=Naming("b.parquet", "row 1", "'image'", "path").pattern):
        load(str(tmp_path), "d")


@pytest.mark.parametrize(
    "image",
    [[struct("a")], [b"x"], {"content": b"x"}],
)
def test_columns_that_hold_images_otherwise(tmp_path: Path, image: object) -> None:
    actual = problem(tmp_path, [image])
    assert actual == Naming("'image'", "one image")
    assert loaded(tmp_path, [image], image_column=None).captions == ("c",)


def test_a_field_called_bytes_that_holds_none(tmp_path: Path) -> None:
    actual = problem(tmp_path, [{"bytes": 1024, "path": "a.jpg"}])
    assert actual == Naming("row 1", "'image'", "{'bytes': 1024")


@pytest.mark.parametrize("value", [b"x", struct("a"), [struct("a")]])
@pytest.mark.parametrize("setting", ["caption_column", "id_column", "label_column"])
def test_bytes_where_texts_belong(tmp_path: Path, value: object, setting: str) -> None:
    columns = {"other": [value]}
    actual = problem(tmp_path, [struct("a")], columns, **{setting: "other"})
    assert actual == Naming("'other'", "bytes")
