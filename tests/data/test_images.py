from __future__ import annotations

import contextlib
import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmclf.data.images import read_batches, read_image
from mmclf.errors import InputError

RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> Image.Image:
    picture = Image.new("RGB", (16, 8), left)
    picture.paste(right, (8, 0, 16, 8))
    return picture


def saved(picture: Image.Image, path: Path, **settings: Any) -> Path:
    picture.save(path, **settings)
    return path


PLAIN = Image.new("RGB", (20, 10), (200, 30, 40))


@pytest.mark.parametrize(
    ("picture", "colour"),
    [
        pytest.param(PLAIN, (200, 30, 40), id="plain"),
        pytest.param(PLAIN.convert("RGBA"), (200, 30, 40), id="alpha"),
        pytest.param(PLAIN.quantize(2), (200, 30, 40), id="palette"),
        # Grey is 0.299 R + 0.587 G + 0.114 B (Rec. 601): 81.97.
        pytest.param(PLAIN.convert("L"), (82, 82, 82), id="grey"),
        pytest.param(Image.new("1", (20, 10), 1), (255, 255, 255), id="black-and-white"),
    ],
)
def test_every_mode_becomes_rgb(
    tmp_path: Path, picture: Image.Image, colour: tuple[int, int, int]
) -> None:
    array = read_image(saved(picture, tmp_path / "a.png"), 6)
    assert array.shape == (6, 6, 3)
    assert array.dtype == np.uint8
    assert (array == colour).all()


def test_cmyk(tmp_path: Path) -> None:
    picture = Image.new("CMYK", (20, 10), (0, 255, 255, 0))
    array = read_image(saved(picture, tmp_path / "a.jpg", quality=95), 6)
    assert array.shape == (6, 6, 3)
    assert np.abs(array.astype(int) - (254, 0, 0)).max() <= 4


def test_proportions_are_given_up(tmp_path: Path) -> None:
    array = read_image(saved(halves(RED, BLUE), tmp_path / "a.png"), 8)
    assert (array[:, :3] == RED).all()
    assert (array[:, 5:] == BLUE).all()


# EXIF 2.3, tag 0x0112: which way up the picture was taken. The stored halves are red and blue.
@pytest.mark.parametrize(
    ("orientation", "side"),
    [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (6, "top"), (8, "bottom")],
)
def test_exif_turns_the_picture_upright(tmp_path: Path, orientation: int, side: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    array = read_image(saved(halves(RED, BLUE), tmp_path / "a.png", exif=exif), 8)
    strip = {
        "left": array[:, :3],
        "right": array[:, 5:],
        "top": array[:3],
        "bottom": array[5:],
    }
    opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
    assert (strip[side] == RED).all()
    assert (strip[opposite[side]] == BLUE).all()


def noise(side: int) -> Image.Image:
    generator = np.random.default_rng(0)
    return Image.fromarray(generator.integers(0, 256, (side, side, 3), dtype=np.uint8))


def damaged_png() -> bytes:
    """A PNG of several chunks, the second one's name damaged, of which Pillow says SyntaxError."""
    stream = io.BytesIO()
    noise(256).save(stream, "PNG")
    content = bytearray(stream.getvalue())
    second = content.find(b"IDAT", content.find(b"IDAT") + 4)
    content[second] = 1
    return bytes(content)


def cut_jpeg() -> bytes:
    stream = io.BytesIO()
    noise(64).save(stream, "JPEG")
    return stream.getvalue()[:1500]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no image at all", id="text"),
        pytest.param(cut_jpeg(), id="truncated"),
        pytest.param(damaged_png(), id="broken-chunk"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "17.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_image(path, 8)
    assert str(caught.value).startswith(f"{path} cannot be read as an image (")
    assert "replace the file, or remove its row" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jpg cannot be read"):
        read_image(tmp_path / "gone.jpg", 8)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_any_damage_is_an_input_error_or_a_picture(tmp_path: Path, form: str) -> None:
    stream = io.BytesIO()
    noise(24).save(stream, form)
    chance = random.Random(form)
    read = 0
    for _ in range(60):
        content = bytearray(stream.getvalue())
        for _ in range(4):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(content[: chance.randrange(1, len(content))])
        with contextlib.suppress(InputError):
            assert read_image(path, 4).shape == (4, 4, 3)
            read += 1
    assert read < 60


@pytest.fixture
def shades(tmp_path: Path) -> list[Path]:
    pictures = (Image.new("RGB", (4, 4), (10 * i, 0, 0)) for i in range(11))
    return [saved(picture, tmp_path / f"{i}.png") for i, picture in enumerate(pictures)]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 11, 50])
@pytest.mark.parametrize("workers", [1, 4, None])
def test_batches_are_in_order_and_complete(
    shades: list[Path], batch_size: int, workers: int | None
) -> None:
    batches = list(read_batches(shades, 2, batch_size, workers))
    sizes = [len(batch) for batch in batches]
    assert all(size == batch_size for size in sizes[:-1])
    assert sum(sizes) == 11
    together = np.concatenate(batches)
    assert together.shape == (11, 2, 2, 3)
    assert together[:, 0, 0, 0].tolist() == [10 * i for i in range(11)]


def test_no_paths_are_no_batches() -> None:
    assert list(read_batches([], 2, 4, 1)) == []


def test_a_broken_file_among_others_is_named_after_the_batches_before(shades: list[Path]) -> None:
    shades[4].write_bytes(b"broken")
    batches = read_batches(shades, 2, 2, 2)
    assert len([next(batches), next(batches)]) == 2
    with pytest.raises(InputError, match=r"4\.png cannot be read"):
        next(batches)
