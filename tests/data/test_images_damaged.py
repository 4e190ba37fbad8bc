from __future__ import annotations

import contextlib
import errno
import io
import os
import random
import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hostile_count import Attempts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming
from PIL import Image

from mmclf.data import images
from mmclf.data.images import AVIF, FORMATS, read_image
from mmclf.errors import InputError

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
# A value that drawn examples may share a folder of: each one writes its file anew.
SHARED_FOLDER = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def saved(picture: Image.Image, path: Path, **settings: Any) -> Path:
    picture.save(path, **settings)
    return path


PLAIN = Image.new("RGB", (20, 10), (200, 30, 40))


def gradient(width: int, height: int) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    values = np.stack([rows * 7 % 256, columns * 5 % 256, (rows + columns) * 3 % 256], axis=-1)
    return Image.fromarray(values.astype(np.uint8))


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


def reason(path: Path) -> str:
    """Why the file cannot be read, out of a message that is otherwise always the same."""
    with pytest.raises(InputError) as caught:
        read_image(path, 8)
    message = str(caught.value)
    assert "\n" not in message
    before, _, rest = message.partition(" (")
    assert before.startswith(str(path))
    return rest.rpartition("): ")[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"no image at all", "b'no image at '", id="text"),
        pytest.param(b"<!DOCTYPE html>", "JPEG 2000 or AVIF", id="page"),
        pytest.param(cut_jpeg(), "truncated", id="truncated"),
        pytest.param(damaged_png(), "broken PNG file", id="broken-chunk"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", "WEBP", id="sound"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0", "it begins with", id="heic"),
    ],
)
@pytest.mark.hostile("data")
def test_a_broken_file_is_named_with_the_reason(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "17.jpg"
    path.write_bytes(content)
    assert words in reason(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    assert reason(tmp_path / "gone.jpg") == os.strerror(errno.ENOENT)
    assert reason(tmp_path) == Naming("folder")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg") == Naming("no file")


@pytest.mark.parametrize("form", ["PPM", "ICO", "TGA", "PCX"])
@pytest.mark.hostile("data")
def test_formats_that_are_not_listed_stay_closed(tmp_path: Path, form: str) -> None:
    assert "it begins with" in reason(saved(PLAIN, tmp_path / "a.jpg", format=form))


@pytest.mark.parametrize(
    ("low", "high", "fine"), [(0, 65535, True), (0, 65536, False), (-1, 9, False)]
)
def test_grey_of_more_than_16_bits_is_refused(
    tmp_path: Path, low: int, high: int, fine: bool
) -> None:
    grey = np.array([[low, high]], dtype=np.int32)
    path = saved(Image.fromarray(grey), tmp_path / "a.tiff")
    if fine:
        assert read_image(path, 2).shape == (2, 2, 3)
    else:
        words = f"its grey values run from {low} to {high}, expected 8 or 16 bits"
        assert reason(path) == words


def test_fractions_are_refused(tmp_path: Path) -> None:
    path = saved(Image.new("F", (4, 4), 0.5), tmp_path / "a.tiff")
    assert reason(path) == Naming("fractions")


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def huge_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


def huge_jpeg(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    PLAIN.save(stream, "JPEG")
    content = bytearray(stream.getvalue())
    start = content.find(b"\xff\xc0") + 5
    content[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def huge_gif(width: int, height: int) -> bytes:
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return b"GIF89a" + screen + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2D\1\0;"


def huge_bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54) + header + bytes(900)


@pytest.mark.parametrize("make", [huge_png, huge_jpeg, huge_gif, huge_bmp])
# Pillow itself warns of more than 89 million pixels, and raises at twice as many.
@pytest.mark.parametrize(("width", "height"), [(8193, 8192), (9700, 9700), (65000, 65000)])
@pytest.mark.hostile("data")
def test_a_bomb_is_refused_by_its_header_without_a_warning(
    tmp_path: Path, make: Any, width: int, height: int
) -> None:
    path = tmp_path / "bomb.jpg"
    path.write_bytes(make(width, height))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        words = reason(path)
    assert words == Naming(f"{width} x {height}", "67 million")


@pytest.mark.hostile("data")
def test_a_webp_bomb_is_refused(tmp_path: Path) -> None:
    bits = b"\x2f" + struct.pack("<I", 16382 | 16382 << 14) + bytes(21)
    path = tmp_path / "bomb.webp"
    path.write_bytes(b"RIFF" + struct.pack("<I", 38) + b"WEBPVP8L" + struct.pack("<I", 26) + bits)
    assert "pixels" in reason(path)


@pytest.mark.parametrize("form", ["PNG", "AVIF", "JPEG2000"])
@pytest.mark.parametrize(("height", "fine"), [(10, True), (11, False)])
def test_as_many_pixels_as_allowed_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, height: int, fine: bool, form: str
) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 200)
    path = saved(Image.new("RGB", (20, height), RED), tmp_path / "a.png", format=form)
    if fine:
        assert np.abs(read_image(path, 4).astype(int) - RED).max() <= 4
    else:
        assert "20 x 11 pixels" in reason(path)


@pytest.mark.parametrize("error", [MemoryError, RecursionError, KeyError("odd"), struct.error("s")])
@pytest.mark.hostile("data")
def test_whatever_a_decoder_raises_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    def fail(_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(images, "FORMATS", {b"\x89PNG": fail})
    kind = error.__name__ if isinstance(error, type) else type(error).__name__
    assert reason(saved(PLAIN, tmp_path / "a.png")).startswith(kind)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "JPEG2000", "AVIF"])
@pytest.mark.hostile("images", fuzz=True)
def test_any_damage_is_an_input_error_or_a_picture(
    tmp_path: Path, form: str, attempts: Attempts
) -> None:
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
        with attempts.counted(), contextlib.suppress(InputError):
            assert read_image(path, 4).shape == (4, 4, 3)
            read += 1
    assert read < 60


def encoded(form: str) -> bytes:
    stream = io.BytesIO()
    extra = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    gradient(40, 30).save(stream, form, **extra)
    return stream.getvalue()


WHOLE = {
    form: encoded(form)
    for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "JPEG2000", "AVIF")
}


def read_or_refused(folder: Path, content: bytes) -> bool:
    path = folder / "drawn"
    path.write_bytes(content)
    try:
        array = read_image(path, 4, 0.9)
    except InputError:
        return False
    assert array.shape == (4, 4, 3)
    assert array.dtype == np.uint8
    return True


@SHARED_FOLDER
@given(
    st.sampled_from([*sorted(FORMATS), *(b"\0\0\0\x20" + kind for kind in AVIF), b""]),
    st.binary(max_size=200),
)
def test_any_bytes_are_a_picture_or_an_input_error(
    tmp_path: Path, magic: bytes, content: bytes
) -> None:
    read_or_refused(tmp_path, magic + content)


@SHARED_FOLDER
@given(
    st.sampled_from(sorted(WHOLE)),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=4),
)
def test_damaged_pictures_are_pictures_or_input_errors(
    tmp_path: Path, form: str, cut: float, flips: Sequence[tuple[float, int]]
) -> None:
    content = bytearray(WHOLE[form])
    for place, bit in flips:
        content[int(place * len(content))] ^= 1 << bit
    whole = read_or_refused(tmp_path, bytes(content))
    assert whole or flips
    half = read_or_refused(tmp_path, bytes(content[: int(cut / 2 * len(content))]))
    # A flipped bit may well make a picture smaller, so that half of the file suffices.
    assert not half or flips


@pytest.mark.parametrize(
    "head", [b"RIFF\xff\xff\xff\x7fWEBPVP8X", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a", b"II*\x00"]
)
@pytest.mark.hostile("data")
def test_a_sparse_file_of_2_gb_is_refused_before_it_is_read(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "bomb"
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(2 * 10**9)
    assert reason(path) == "it has 2,000 MB, expected at most 256; save it anew"


@pytest.mark.hostile("data")
def test_the_limit_on_bytes_holds_inside_other_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    PLAIN.save(stream, "PNG")
    content = stream.getvalue()
    monkeypatch.setattr(images, "IMAGE_BYTES", len(content))
    assert read_image(images.ImageBytes("a, row 1", content), 4).shape == (4, 4, 3)
    with pytest.raises(InputError, match="expected at most"):
        read_image(images.ImageBytes("a, row 1", content + b"\0"), 4)


@pytest.mark.parametrize(
    ("limit", "fine"), [(1.0, True), pytest.param(0.99, False, marks=pytest.mark.hostile("data"))]
)
def test_a_jpeg_of_many_scans_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float, fine: bool
) -> None:
    path = saved(gradient(64, 64), tmp_path / "a.jpg", format="JPEG", progressive=True)
    scans = path.read_bytes().count(images.SCAN)
    assert scans > 5
    monkeypatch.setattr(images, "SCANNED_PIXELS", int(64 * 64 * scans * limit))
    if fine:
        assert read_image(path, 8).shape == (8, 8, 3)
    else:
        assert f"it has {scans} scans of 4096 pixels" in reason(path)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_many_frames_the_first_is_read_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    frames = [
        Image.new("RGB", (16, 16), (index % 256, 0, 255 - index % 256)) for index in range(300)
    ]
    options = {"lossless": True} if form == "WEBP" else {}
    path = saved(
        frames[0], tmp_path / "a", format=form, save_all=True, append_images=frames[1:], **options
    )
    monkeypatch.setattr(Image.Image, "seek", lambda *_: pytest.fail("another frame was looked for"))
    assert np.abs(read_image(path, 4).astype(int) - (0, 0, 255)).max() <= 4
