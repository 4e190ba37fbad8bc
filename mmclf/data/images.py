"""Image files decoded to uint8 RGB arrays of one size."""

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
MAX_PIXELS = 2**26  # 8192 x 8192; decoding takes up to 16 bytes a pixel

# By their first bytes. Image.open would try every format that a package has registered, and warn
# of large images before their size can be checked.
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

# EXIF 2.3, tag 0x0112: the transposition that turns an image upright.
TRANSPOSES: Mapping[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: Path, size: int, crop: float | None = None) -> Pictures:
    """Read a JPEG, PNG, WebP, BMP, GIF or TIFF file as an upright RGB array (size, size, 3).

    Of an animation the first frame is read; transparency is blended with white; of 16 bits the
    upper 8 are kept.

    Args:
        path: of the file.
        size: width and height of the result in pixels.
        crop: side of the centred square that is used, as a share of the shorter side (above 0, at
            most 1); None for the whole image, stretched to a square.

    Raises:
        InputError: if the file cannot be read, or has more than `MAX_PIXELS` pixels.

    """
    try:
        _check_file(path)
        with path.open("rb") as stream, _open(stream) as picture:
            return _resize(picture, size, crop)
    # Decoders raise all kinds of errors for a damaged file: struct.error, KeyError, ...
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as an image ({_reason(error)}): replace the file, or remove "
            "its row"
        ) from error


def _check_file(path: Path) -> None:
    # Opening a pipe would block until another process writes to it.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is a folder, or another thing that is no file")


def _open(stream: BinaryIO) -> ImageFile:
    """The image in `stream`, its header read and its size checked."""
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
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels, expected at most {MAX_PIXELS // 10**6} million; make it "
            "smaller"
        )
    return picture


def _resize(picture: ImageFile, size: int, crop: float | None) -> Pictures:
    picture.load()  # may change the mode, size and transparency that the header states
    image = _to_8_bits(picture)
    resized = image.resize((size, size), Image.Resampling.BILINEAR, _crop_box(image.size, crop))
    if resized.mode == "RGBA":
        resized = Image.alpha_composite(Image.new("RGBA", resized.size, "white"), resized)
    # Transposed last, which takes less memory; a centred box and a square are not affected.
    method = _orientation_transpose(picture)
    upright = resized if method is None else resized.transpose(method)
    # convert would copy an image that is RGB already.
    return np.ascontiguousarray(upright if upright.mode == "RGB" else upright.convert("RGB"))


def _to_8_bits(picture: ImageFile) -> Image.Image:
    """The image in mode L, RGB or RGBA."""
    if picture.mode.startswith("I"):
        return Image.fromarray(_upper_byte(np.asarray(picture)))
    if picture.mode == "F":
        raise ValueError("its values are fractions without a known white; save it with 8 bits")
    mode = "RGBA" if picture.has_transparency_data else "L" if picture.mode in ("1", "L") else "RGB"
    # convert would copy an image that has the mode already.
    return picture if picture.mode == mode else picture.convert(mode)


def _upper_byte(grey: NDArray[np.integer]) -> Pictures:
    """Grey values of 16 bits as 8 bits, as Pillow converts colours of 16 bits."""
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high > 0xFFFF:
        raise ValueError(f"its grey values run from {low} to {high}, expected 8 or 16 bits")
    return (grey >> 8).astype(np.uint8)


def _crop_box(size: tuple[int, int], crop: float | None) -> tuple[float, float, float, float]:
    width, height = size
    if crop is None:
        return 0, 0, width, height
    side = crop * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _orientation_transpose(picture: ImageFile) -> Image.Transpose | None:
    """The transposition that turns an image upright; None without one, or if EXIF is damaged."""
    try:
        return TRANSPOSES.get(picture.getexif().get(Base.Orientation))
    except Exception:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    is_informative = isinstance(error, (OSError, SyntaxError, ValueError)) and text
    return text if is_informative else f"{type(error).__name__} {text}".strip()
