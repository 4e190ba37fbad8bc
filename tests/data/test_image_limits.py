"""Pictures that are too large: refused by their header, before memory is taken for them."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from message_facts import Naming
from picture_files import PLAIN, gradient, reason, saved
from PIL import Image

from mmclf.data import images
from mmclf.data.images import read_image
from mmclf.errors import InputError

RED = (255, 0, 0)


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
