"""Image files decoded to uint8 RGB arrays of one size."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mmclf.errors import InputError
from mmclf.storage.file_limits import IMAGE_BYTES, MAX_PIXELS, SCANNED_PIXELS, in_mb

Pictures = NDArray[np.uint8]

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
    b"\x00\x00\x00\x0cjP  ": Jpeg2KImageFile,
    b"\xff\x4f\xff\x51": Jpeg2KImageFile,
}
AVIF = (b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1")  # behind the length of its first box
SCAN = b"\xff\xda"  # begins each scan of a JPEG, and stands nowhere within one
NO_BYTES = "it holds no bytes, at most the path of a file elsewhere"
GREY_BITS = (8, 10, 12, 14, 16)  # of cameras and scanners, which files of 16 bits hold

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
# Those that exchange width and height.
TURNED = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


@dataclass(frozen=True)
class DecodedImage:
    """An image as RGB.

    Args:
        pixels: (size, size, 3).
        stretched_bits: that grey values use of the 16 in the file, where they are fewer; else None.

    """

    pixels: Pictures
    stretched_bits: int | None = None


@dataclass(frozen=True)
class ImageBytes:
    """The content of an image file that stands in another file.

    Args:
        location: where it stands, for messages.
        content: None if there is none.

    """

    location: str
    content: bytes | None

    def __str__(self) -> str:
        """Where it stands."""
        return self.location


def read_image(image: Path | ImageBytes, size: int, crop: float | None = None) -> Pictures:
    """The pixels (size, size, 3) of an image; raises InputError as `decode_image`."""
    return decode_image(image, size, crop).pixels


def decode_image(image: Path | ImageBytes, size: int, crop: float | None = None) -> DecodedImage:
    """Read a JPEG, PNG, WebP, BMP, GIF, TIFF, JPEG 2000 or AVIF file upright, in RGB.

    Of an animation the first frame is read; transparency is blended with white; of grey values of
    16 bits the upper 8 of those that are in use are kept, of colours of 16 bits the upper 8.

    Args:
        image: the path of the file, or its content.
        size: width and height of the result in pixels.
        crop: side of the centred square that is used, as a share of the shorter side (above 0, at
            most 1); None for the whole image, stretched to a square.

    Raises:
        InputError: if the file cannot be read, has more than `IMAGE_BYTES` or `MAX_PIXELS`, or is a
            progressive JPEG of more scans than `SCANNED_PIXELS` allow.

    """
    try:
        with _stream(image) as stream, _open(stream) as picture:
            return _decode(picture, size, crop)
    # Decoders raise all kinds of errors for a damaged file: struct.error, KeyError, ...
    except Exception as error:
        raise InputError(
            f"{image} cannot be read as an image ({_reason(error)}): replace the file, or remove "
            "its row"
        ) from error


def read_thumbnail(image: Path | ImageBytes, longest: int) -> Pictures:
    """The pixels (H, W, 3) of a whole image in its own shape, its longer side `longest` pixels.

    Smaller ones are enlarged. Raises InputError as `decode_image`.
    """
    try:
        with _stream(image) as stream, _open(stream) as picture:
            return _decode_small(picture, longest)
    except Exception as error:  # as in `decode_image`
        raise InputError(f"{image} cannot be read as an image ({_reason(error)})") from error


def _decode_small(picture: ImageFile, longest: int) -> Pictures:
    upright = _decode(picture, longest, None).pixels
    width, height = picture.size
    method = _orientation_transpose(picture)
    if method in TURNED:
        width, height = height, width
    scale = longest / max(width, height)
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    return np.asarray(Image.fromarray(upright).resize(size, Image.Resampling.BILINEAR))


def _stream(image: Path | ImageBytes) -> BinaryIO:
    if isinstance(image, ImageBytes):
        if image.content is None:
            raise ValueError(NO_BYTES)
        _check_bytes(len(image.content))
        return io.BytesIO(image.content)
    # Opening a pipe would block until another process writes to it.
    status = image.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is a folder, or another thing that is no file")
    _check_bytes(status.st_size)
    return image.open("rb")


def _check_bytes(size: int) -> None:
    # Some decoders take the whole file into memory before they look at it.
    if size > IMAGE_BYTES:
        raise ValueError(
            f"it has {in_mb(size)} MB, expected at most {in_mb(IMAGE_BYTES)}; save it anew"
        )


def _open(stream: BinaryIO) -> ImageFile:
    """The image in `stream`, its header read and its size checked."""
    head = stream.read(12)
    stream.seek(0)
    if not head:
        raise ValueError("it is empty")
    picture = _factory(head)(stream)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels, expected at most {MAX_PIXELS // 10**6} million; make it "
            "smaller"
        )
    if picture.info.get("progressive"):
        _check_scans(stream, width * height)
    return picture


def _check_scans(stream: BinaryIO, pixels: int) -> None:
    """Raise ValueError for a JPEG that would be decoded many times over.

    A scan may take ten bytes of the file, and goes over all pixels.
    """
    position = stream.tell()
    stream.seek(0)
    scans = stream.read().count(SCAN)
    stream.seek(position)
    if scans * pixels > SCANNED_PIXELS:
        raise ValueError(f"it has {scans} scans of {pixels} pixels; save it anew")


def _factory(head: bytes) -> Callable[[BinaryIO], ImageFile]:
    """What reads a file that begins with these bytes."""
    if head[4:] in AVIF:
        return AvifImageFile
    for magic, factory in FORMATS.items():
        if head.startswith(magic):
            return factory
    raise ValueError(
        f"it begins with {head!r}; expected JPEG, PNG, WebP, BMP, GIF, TIFF, JPEG 2000 or AVIF, by "
        "content"
    )


def _decode(picture: ImageFile, size: int, crop: float | None) -> DecodedImage:
    picture.load()  # may change the mode, size and transparency that the header states
    if not picture.mode.startswith("I"):
        return DecodedImage(_resize(picture, _to_8_bits(picture), size, crop))
    grey = np.asarray(picture)
    bits = _grey_bits(grey)
    image = Image.fromarray((grey >> (bits - 8)).astype(np.uint8))
    return DecodedImage(_resize(picture, image, size, crop), bits if bits < 16 else None)


def _resize(picture: ImageFile, image: Image.Image, size: int, crop: float | None) -> Pictures:
    """The pixels of `image`, which is `picture` in 8 bits."""
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
    if picture.mode == "F":
        raise ValueError("its values are fractions without a known white; save it with 8 bits")
    mode = "RGBA" if picture.has_transparency_data else "L" if picture.mode in ("1", "L") else "RGB"
    # convert would copy an image that has the mode already.
    return picture if picture.mode == mode else picture.convert(mode)


def _grey_bits(grey: NDArray[np.integer]) -> int:
    """The bits that grey values use, of the depths that there are.

    A dark image of 12 bits may use 11, and is not to look brighter than its neighbours for it.
    """
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high > 0xFFFF:
        raise ValueError(f"its grey values run from {low} to {high}, expected 8 or 16 bits")
    return next(bits for bits in GREY_BITS if high < 1 << bits)


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
