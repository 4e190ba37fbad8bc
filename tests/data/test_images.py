from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import PLAIN, gradient, saved
from PIL import Image
from torchvision import transforms

from mmclf.data.images import decode_image, read_image

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> Image.Image:
    picture = Image.new("RGB", (16, 8), left)
    picture.paste(right, (8, 0, 16, 8))
    return picture


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


@pytest.mark.parametrize(
    "form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "MPO", "JPEG2000", "AVIF"]
)
def test_every_listed_format_is_known_by_its_content(tmp_path: Path, form: str) -> None:
    path = saved(halves(RED, BLUE), tmp_path / "misnamed.txt", format=form)
    array = read_image(path, 8).astype(int)
    assert np.abs(array[:, 0] - RED).max() <= 8
    assert np.abs(array[:, 7] - BLUE).max() <= 8


GREY = np.array([[0, 0x00FF], [0x8000, 0xFFFF]])
UPPER = [[0, 0], [0x80, 0xFF]]


@pytest.mark.parametrize(
    ("kind", "form"),
    [("<u2", "PNG"), ("<u2", "TIFF"), (">u2", "TIFF"), ("<i4", "TIFF")],
)
def test_of_16_bits_the_upper_8_are_kept(tmp_path: Path, kind: str, form: str) -> None:
    path = saved(Image.fromarray(GREY.astype(kind)), tmp_path / "a", format=form)
    array = read_image(path, 2)
    assert array[..., 0].tolist() == UPPER
    assert (array == array[..., :1]).all()


@pytest.mark.parametrize(
    ("largest", "bits", "shown"),
    [
        *((0, 8, 0), (1, 8, 1), (0xFF, 8, 0xFF)),
        *((0x100, 10, 0x40), (0x3FF, 10, 0xFF)),
        # A dark image of a camera with 12 bits is as dark as it was taken.
        *((0x400, 12, 0x40), (0x7FF, 12, 0x7F), (0xFFF, 12, 0xFF)),
        *((0x1000, 14, 0x40), (0x3FFF, 14, 0xFF)),
        *((0x4000, None, 0x40), (0xFFFF, None, 0xFF)),
    ],
)
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_of_fewer_bits_is_stretched_by_those_in_use(
    tmp_path: Path, largest: int, bits: int | None, shown: int, form: str
) -> None:
    grey = np.array([[0, 0], [largest, largest]], dtype=np.uint16)
    decoded = decode_image(saved(Image.fromarray(grey), tmp_path / "a", format=form), 2)
    assert decoded.stretched_bits == bits
    assert decoded.pixels[..., 0].tolist() == [[0, 0], [shown, shown]]
    assert np.array_equal(decoded.pixels, read_image(tmp_path / "a", 2))


def test_what_has_8_bits_is_not_stretched(tmp_path: Path) -> None:
    dark = saved(Image.new("L", (4, 4), 7), tmp_path / "a.png")
    assert decode_image(dark, 2).stretched_bits is None
    assert (read_image(dark, 2) == 7).all()


def test_jpeg_2000_of_16_bits_is_grey(tmp_path: Path) -> None:
    grey = np.full((16, 16), 1 << 15, dtype=np.uint16)
    path = saved(Image.fromarray(grey), tmp_path / "a.jp2", irreversible=False)
    assert np.abs(read_image(path, 4).astype(int) - 0x80).max() <= 1


def keyed(mode: str, colour: Any) -> Image.Image:
    """A picture whose transparent parts are those of one colour."""
    picture = Image.new(mode, (20, 10), colour)
    picture.info["transparency"] = colour
    return picture


def clear_palette() -> Image.Image:
    picture = Image.new("P", (20, 10), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return picture


@pytest.mark.parametrize(
    ("picture", "form", "extra"),
    [
        pytest.param(Image.new("RGBA", (20, 10), (*RED, 0)), "PNG", {}, id="rgba"),
        pytest.param(Image.new("RGBA", (20, 10), (*RED, 0)), "WEBP", {"exact": True}, id="webp"),
        pytest.param(Image.new("RGBA", (20, 10), (*RED, 0)), "TIFF", {}, id="tiff"),
        pytest.param(Image.new("LA", (20, 10), (0, 0)), "PNG", {}, id="grey-and-alpha"),
        pytest.param(keyed("RGB", RED), "PNG", {}, id="colour-key"),
        pytest.param(keyed("L", 0), "PNG", {}, id="grey-key"),
        pytest.param(clear_palette(), "PNG", {"transparency": 1}, id="palette-key"),
        pytest.param(clear_palette(), "PNG", {"transparency": b"\xff\0"}, id="palette-alpha"),
        pytest.param(clear_palette(), "GIF", {"transparency": 1}, id="gif"),
    ],
)
def test_what_is_transparent_shows_white(
    tmp_path: Path, picture: Image.Image, form: str, extra: dict[str, Any]
) -> None:
    if "transparency" in picture.info:
        extra = {"transparency": picture.info["transparency"]}
    path = saved(picture, tmp_path / "a", format=form, **extra)
    assert (read_image(path, 6) == WHITE).all()


def test_what_is_half_transparent_is_mixed_with_white(tmp_path: Path) -> None:
    path = saved(Image.new("RGBA", (8, 8), (200, 0, 100, 102)), tmp_path / "a.png")
    # 102 is 0.4 of 255: 0.4 * 200 + 0.6 * 255, and so on.
    assert np.abs(read_image(path, 4).astype(int) - (233, 153, 193)).max() <= 1


def test_hidden_colours_do_not_bleed_into_what_is_seen(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (64, 64), (*RED, 0))
    picture.paste((*BLUE, 255), (32, 0, 64, 64))
    array = read_image(saved(picture, tmp_path / "a.png"), 7).astype(int)
    # Between white and blue, red and green are alike everywhere.
    assert np.abs(array[..., 0] - array[..., 1]).max() <= 2


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, form: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in (RED, BLUE, WHITE)]
    path = tmp_path / "a"
    frames[0].save(path, form, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert (read_image(path, 6) == RED).all()


def test_a_broken_exif_block_does_not_matter(tmp_path: Path) -> None:
    path = saved(halves(RED, BLUE), tmp_path / "a.png", exif=b"Exif\0\0no EXIF at all")
    assert (read_image(path, 8)[:, 0] == RED).all()


def test_an_orientation_of_tiff_is_followed_once(tmp_path: Path) -> None:
    path = saved(halves(RED, BLUE), tmp_path / "a.tiff", tiffinfo={274: 6})
    array = read_image(path, 8)
    assert (array[:3] == RED).all()
    assert (array[5:] == BLUE).all()


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1), (65535, 1)])
@pytest.mark.parametrize("crop", [None, 0.875])
def test_the_longest_and_smallest_pictures_are_read(
    tmp_path: Path, size: tuple[int, int], crop: float | None
) -> None:
    path = saved(Image.new("RGB", size, RED), tmp_path / "a.png")
    assert (read_image(path, 16, crop) == RED).all()


@pytest.mark.parametrize("size", [(768, 512), (512, 768), (512, 512)])
def test_the_centre_is_what_torchvision_cuts_out(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = gradient(*size)
    ours = read_image(saved(picture, tmp_path / "a.png"), 224, 0.875)
    theirs = transforms.CenterCrop(224)(transforms.Resize(256)(picture))
    assert np.abs(ours.astype(int) - np.asarray(theirs).astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("crop", "box"), [(1.0, (20, 0, 60, 40)), (0.5, (30, 10, 50, 30)), (0.1, (38, 18, 42, 22))]
)
def test_the_crop_is_a_share_of_the_shorter_side(
    tmp_path: Path, crop: float, box: tuple[int, int, int, int]
) -> None:
    picture = Image.new("RGB", (80, 40), RED)
    picture.paste(BLUE, box)
    side = box[2] - box[0]
    array = read_image(saved(picture, tmp_path / "a.png"), side, crop)
    assert (array == BLUE).all()
    wider = read_image(tmp_path / "a.png", side, 1.5 * crop if crop < 1 else None)
    assert (wider != BLUE).any()


def test_the_crop_of_a_turned_picture_is_the_centre_of_the_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (60, 20), RED)
    picture.paste(BLUE, (20, 0, 40, 20))
    array = read_image(saved(picture, tmp_path / "a.png", exif=exif), 20, 1.0)
    assert (array == BLUE).all()


def test_an_avif_picture_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(halves(RED, BLUE), tmp_path / "a.avif", exif=exif, quality=100)
    array = read_image(path, 8).astype(int)
    assert np.abs(array[0] - RED).max() <= 12
    assert np.abs(array[7] - BLUE).max() <= 12


@pytest.mark.parametrize("form", ["AVIF", "JPEG2000"])
def test_what_is_transparent_in_newer_formats_shows_white(tmp_path: Path, form: str) -> None:
    path = saved(Image.new("RGBA", (32, 32), (*RED, 0)), tmp_path / "a", format=form)
    assert (read_image(path, 6) >= 254).all()
