"""Small pictures of samples, each as an address that holds it."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping

from PIL import Image

from mmclf.data.image_locations import ImageLocation
from mmclf.data.images import read_thumbnail
from mmclf.data.parquet_images import with_bytes
from mmclf.errors import InputError

LONGEST, QUALITY = 176, 70  # pixels, and of JPEG
MOST_BYTES = 2 * 10**6  # of all addresses on a page
TOO_MANY = "Some pictures are left out, as a page has at most 2 MB of them"


def thumbnails(images: Mapping[int, ImageLocation]) -> tuple[dict[int, str], str]:
    """The pictures by the number of their sample, and what is to be said of those that lack.

    They are read in ascending order, until together they take MOST_BYTES.
    """
    addresses: dict[int, str] = {}
    failed, size = 0, 0
    numbers = sorted(images)
    try:
        for number, image in zip(numbers, with_bytes([images[n] for n in numbers]), strict=True):
            try:
                address = _address(image)
            except InputError:
                failed += 1
                continue
            size += len(address)
            if size > MOST_BYTES:
                return addresses, TOO_MANY
            addresses[number] = address
    except InputError:  # of a whole Parquet file
        failed = len(images) - len(addresses)
    return addresses, f"{failed} of {len(images)} pictures could not be read" if failed else ""


def _address(image: object) -> str:
    pixels = read_thumbnail(image, LONGEST)  # type: ignore[arg-type]
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{b64encode(held.getvalue()).decode()}"
