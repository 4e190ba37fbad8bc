"""Image files as uint8 arrays of one size, whatever the files hold."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mmclf.errors import InputError

Pictures = NDArray[np.uint8]
MOST_PIXELS = 2**26  # 8192 x 8192; decoding takes up to 16 bytes a pixel

# By their first bytes. Not Image.open: it tries every format that some package has registered, and
# it warns of large pictures before their size can be looked at.
FORMATS: Mapping[bytes, Callable[[BinaryIO], ImageFile]] = {
    b"\xff\xd8\xff": jpeg_factory,
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"RIFF": WebPImageFile,
    b"BM": BmpImageFile,
    b"GIF8": GifImageFile,
    b"II*\x00": TiffImageFile,
    b"MM\x00*": TiffImageFile,
    b"II+\x00": TiffImageFile,
    b"MM\x00+": TiffImageFile,
}

# EXIF 2.3, tag 0x0112: what turns a picture upright.
UPRIGHT: Mapping[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: Path, size: int, crop: float | None = None) -> Pictures:
    """The picture (size, size, 3), RGB and upright, of a JPEG, PNG, WebP, BMP, GIF or TIFF file.

    The whole picture, its proportions lost, or the centred square whose side is `crop` (above 0, at
    most 1) times the shorter side. Of an animation the first frame; what is transparent is shown on
    white; 16 bits become the upper 8. Raises InputError for everything that cannot be read so, and
    for pictures of more than `MOST_PIXELS`, which are not decoded.
    """
    try:
        _check_file(path)
        with path.open("rb") as stream, _opened(stream) as picture:
            return _resized(picture, size, crop)
    # Decoders raise whatever they stumble over in a damaged file: struct.error, KeyError, ...
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as an image ({_reason(error)}): replace the file, or remove "
            "its row"
        ) from error


def _check_file(path: Path) -> None:
    # To open a pipe would wait for somebody to write to it.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is a folder, or another thing that is no file")


def _opened(stream: BinaryIO) -> ImageFile:
    """The picture in `stream`, its header read and its size known to be sound."""
    head = stream.read(12)
    stream.seek(0)
    if not head:
        raise ValueError("it is empty")
    for magic, factory in FORMATS.items():
        if head.startswith(magic):
            picture = factory(stream)
            break
    else:
        raise ValueError(
            f"it begins with {head!r}; expected JPEG, PNG, WebP, BMP, GIF or TIFF, by content"
        )
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels, expected at most {MOST_PIXELS // 10**6} million; make it "
            "smaller"
        )
    return picture


def _resized(picture: ImageFile, size: int, crop: float | None) -> Pictures:
    picture.load()  # what a header says of mode, size and transparency may change with it
    plain = _of_eight_bits(picture)
    small = plain.resize((size, size), Image.Resampling.BILINEAR, _box(plain.size, crop))
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    # Turned last, which takes a fraction of the memory: box and square stay what they are.
    method = _upright(picture)
    upright = small if method is None else small.transpose(method)
    # convert would copy even what is RGB already.
    return np.ascontiguousarray(upright if upright.mode == "RGB" else upright.convert("RGB"))


def _of_eight_bits(picture: ImageFile) -> Image.Image:
    """The picture as L, RGB or RGBA."""
    if picture.mode.startswith("I"):
        return Image.fromarray(_upper_byte(np.asarray(picture)))
    if picture.mode == "F":
        raise ValueError("its values are fractions without a known white; save it with 8 bits")
    mode = "RGBA" if picture.has_transparency_data else "L" if picture.mode in ("1", "L") else "RGB"
    # convert would copy even what has the mode already.
    return picture if picture.mode == mode else picture.convert(mode)


def _upper_byte(grey: NDArray[np.integer]) -> Pictures:
    """Grey values of 16 bits as 8 bits, as Pillow itself reads colours of 16 bits."""
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high > 0xFFFF:
        raise ValueError(f"its grey values run from {low} to {high}, expected 8 or 16 bits")
    return (grey >> 8).astype(np.uint8)


def _box(size: tuple[int, int], crop: float | None) -> tuple[float, float, float, float]:
    width, height = size
    if crop is None:
        return 0, 0, width, height
    side = crop * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _upright(picture: ImageFile) -> Image.Transpose | None:
    """What turns the picture upright; a broken EXIF block says nothing about the picture."""
    try:
        return UPRIGHT.get(picture.getexif().get(Base.Orientation))
    except Exception:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = " ".join(str(error).split())
    told = isinstance(error, (OSError, SyntaxError, ValueError)) and words
    return words if told else f"{type(error).__name__} {words}".strip()
