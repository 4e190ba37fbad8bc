"""Damaged and foreign files of pictures: each is an input error that says why, or a picture."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hostile_count import Attempts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming
from picture_files import PLAIN, gradient, reason, saved
from PIL import Image

from mmclf.data import images
from mmclf.data.images import AVIF, FORMATS, read_image
from mmclf.errors import InputError

# A value that drawn examples may share a folder of: each one writes its file anew.
SHARED_FOLDER = settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


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
