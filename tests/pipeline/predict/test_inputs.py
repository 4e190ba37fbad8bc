"""Images and captions in every form that is taken, and those that are refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from message_facts import Naming
from PIL import Image

from mmclf.data.image_locations import ParquetCell
from mmclf.data.images import read_image
from mmclf.errors import InputError
from mmclf.pipeline.predict.inputs import MAX_WAITING, decoded, parse_inputs

SIZE = 8


def noise(mode: str, size: tuple[int, int] = (13, 9)) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    layers = [Image.fromarray(values[:, :, band]) for band in range(bands)]
    return Image.merge(mode, layers) if bands > 1 else layers[0].convert(mode)


def picture_of(image: Any) -> np.ndarray:
    (picture,) = decoded([image], size=SIZE, crop=None)
    assert picture is not None
    return picture


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *((mode, "png") for mode in ("RGB", "L", "1", "LA", "RGBA", "P")),
        *((mode, "jpg") for mode in ("RGB", "L", "CMYK")),
        ("CMYK", "tiff"),
        ("RGBA", "webp"),
    ],
)
def test_a_picture_in_memory_is_as_its_file(tmp_path: Path, mode: str, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    noise(mode).save(file)
    expected = read_image(file, SIZE)
    assert np.array_equal(picture_of(str(file)), expected)
    with Image.open(file) as picture:
        assert np.array_equal(picture_of(picture), expected)


def test_a_turned_picture_in_memory_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise("RGB").save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as picture:
        actual = picture_of(picture)
    assert np.array_equal(actual, read_image(tmp_path / "a.png", SIZE))
    assert not np.array_equal(actual, picture_of(noise("RGB")))


def test_sixteen_bits_are_not_clipped() -> None:
    grey = Image.fromarray(np.array([[0, 0x7F00], [0xFF00, 0x0100]], dtype=np.uint16))
    (picture,) = decoded([grey], size=2 * SIZE, crop=None)
    assert picture is not None
    assert picture[0, -1].tolist() == [0x7F] * 3


def test_an_array_is_a_picture_and_what_is_missing_is_none() -> None:
    array = np.asarray(noise("RGB"))
    first, of_array, second, of_picture = decoded(
        [None, array, None, noise("RGB")], size=SIZE, crop=0.5
    )
    assert first is second is None
    assert of_array is not None
    assert of_picture is not None
    assert np.array_equal(of_array, of_picture)
    assert [*decoded([None, None], size=SIZE, crop=None)] == [None, None]


@pytest.mark.parametrize(
    ("images", "captions", "expected"),
    [
        ("a.jpg", "a cat", (["a.jpg"], ["a cat"])),
        (Path("a.jpg"), None, ([Path("a.jpg")], [None])),
        (None, "a cat", ([None], ["a cat"])),
        (None, ("a", None), ([None, None], ["a", None])),
        (["a.jpg", None], None, (["a.jpg", None], [None, None])),
        ([], [], ([], [])),
    ],
)
def test_single_ones_missing_ones_and_none(images: Any, captions: Any, expected: Any) -> None:
    inputs = parse_inputs(images, captions)
    assert (list(inputs.images), list(inputs.captions)) == expected
    assert len(inputs) == len(expected[1])


def test_one_array_is_one_picture_and_four_dimensions_are_many() -> None:
    array = np.zeros((5, 4, 3), dtype=np.uint8)
    assert len(parse_inputs(array, None)) == 1
    assert len(parse_inputs(np.stack([array, array]), ["a", "b"])) == 2
    assert len(parse_inputs(Image.new("RGB", (4, 5)), "a")) == 1


@pytest.mark.parametrize(
    ("images", "captions", "words"),
    [
        (None, None, "images nor captions"),
        (["a.jpg", "b.jpg"], ["a"], "2 images and 1 captions"),
        (["a.jpg"], ["a", "cat", "b"], "1 images and 3 captions"),
        (None, ["a", float("nan")], r"captions\[1\] is nan,"),
        (None, ["a", []], r"captions\[1\] is \[\],"),
        (None, ["a", ["b", None]], r"captions\[1\] is \['b', None\],"),
        (["a.jpg", 3], None, r"images\[1\] is a int,"),
        (np.zeros((4, 4, 3)), None, r"images\[0\] .*\(4, 4, 3\) of float64"),
        (np.zeros((4, 4, 4), np.uint8), None, r"images\[0\] .*\(4, 4, 4\) of uint8"),
        ([np.zeros((4, 4), np.uint8)], None, r"\(H, W, 3\) of uint8"),
    ],
)
def test_what_is_refused(images: Any, captions: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_inputs(images, captions)


def test_an_image_inside_a_table_is_as_its_file(tmp_path: Path) -> None:
    file, table = tmp_path / "a.png", tmp_path / "t.parquet"
    noise("RGB").save(file)
    contents = [file.read_bytes(), None, b"no picture"]
    pd.DataFrame({"image": [{"bytes": content} for content in contents]}).to_parquet(table)
    cells = [ParquetCell(table, "image", row) for row in range(3)]
    (expected,) = decoded([file], size=SIZE, crop=None)
    mixed = list(decoded([cells[0], None, file, cells[0]], size=SIZE, crop=None))
    assert expected is not None
    assert mixed.pop(1) is None
    assert all(one is not None and np.array_equal(one, expected) for one in mixed)
    assert parse_inputs(cells[0], "a cat").images == [cells[0]]
    with pytest.raises(InputError) as caught:
        list(decoded(cells, size=SIZE, crop=None))
    assert str(caught.value) == Naming("2 of 3", table, "row 2")
    assert file.exists()


def test_unreadable_images_are_counted_and_listed(tmp_path: Path) -> None:
    noise("RGB").save(tmp_path / "good.png")
    bad = [tmp_path / f"{i}.png" for i in range(7)]
    bad[0].write_bytes(b"no picture")
    pictures = decoded([tmp_path / "good.png", *bad], size=SIZE, crop=None)
    assert next(pictures) is not None
    with pytest.raises(InputError) as caught:
        next(pictures)
    text = str(caught.value)
    assert text == Naming("7 of 8", bad[0], "2 more")
    assert text.count("No such file") == 4


def test_a_picture_in_memory_that_cannot_be_used_is_named() -> None:
    with pytest.raises(InputError, match=r"^images\[1\] .*RGB"):
        list(decoded([None, Image.new("F", (4, 4))], size=SIZE, crop=None))


def test_many_images_come_in_their_order_and_no_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    count = 3 * MAX_WAITING
    greys = [None if i % 7 == 0 else np.full((9, 9, 3), i, np.uint8) for i in range(count)]
    pictures = decoded(greys, size=SIZE, crop=None)
    first = next(pictures)
    assert first is None
    assert len([*tmp_path.rglob("*.png")]) <= MAX_WAITING
    assert [None if p is None else int(p.max()) for p in pictures] == [
        None if grey is None else i for i, grey in enumerate(greys)
    ][1:]
    assert [*tmp_path.iterdir()] == []
