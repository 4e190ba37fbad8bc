"""The demo's pictures: flat shapes on a plain ground, some of them too faint to tell."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

# A method of ImageDraw, a colour (None: the thing's own, drawn at random) and coordinates x, y, x,
# y, ... within the unit square.
Shape = tuple[str, str | None, tuple[float, ...]]

WIDTH, HEIGHT = 320, 240
# Shapes are drawn at this size and scaled down, since ImageDraw draws jagged edges.
CANVAS = 160
# How likely a thing is clearly visible, and how opaque it is then and otherwise.
CLEAR = 0.5
OPAQUE, FAINT = (0.8, 1.0), (0.06, 0.18)
NOISE = 14

COLOURS = ("firebrick", "royalblue", "seagreen", "orange", "purple", "sienna", "gray", "white")
# Sky and ground.
GROUNDS: Mapping[str, tuple[str, str]] = {
    "street": ("lightsteelblue", "dimgray"),
    "park": ("skyblue", "olivedrab"),
    "water": ("lightblue", "steelblue"),
    "station": ("gainsboro", "rosybrown"),
    "home": ("antiquewhite", "burlywood"),
}

WHEELS: tuple[Shape, ...] = (
    ("ellipse", "black", (0.10, 0.66, 0.32, 0.88)),
    ("ellipse", "black", (0.68, 0.66, 0.90, 0.88)),
)
SPOKED_WHEELS: tuple[Shape, ...] = (
    ("arc", "black", (0.00, 0.50, 0.42, 0.92)),
    ("arc", "black", (0.58, 0.50, 1.00, 0.92)),
)
LEGS: tuple[Shape, ...] = (
    ("rectangle", None, (0.22, 0.55, 0.29, 0.95)),
    ("rectangle", None, (0.70, 0.55, 0.77, 0.95)),
)
SHAPES: Mapping[str, tuple[Shape, ...]] = {
    "person": (
        ("ellipse", "peachpuff", (0.38, 0.02, 0.62, 0.26)),
        ("polygon", None, (0.30, 0.27, 0.70, 0.27, 0.64, 0.64, 0.36, 0.64)),
        ("rectangle", "midnightblue", (0.37, 0.64, 0.48, 0.98)),
        ("rectangle", "midnightblue", (0.52, 0.64, 0.63, 0.98)),
    ),
    "bicycle": (
        *SPOKED_WHEELS,
        ("line", None, (0.21, 0.71, 0.36, 0.40, 0.68, 0.40, 0.79, 0.71)),
        ("line", None, (0.36, 0.40, 0.50, 0.71, 0.68, 0.40, 0.66, 0.28, 0.76, 0.26)),
    ),
    "car": (
        ("polygon", None, (0.22, 0.52, 0.34, 0.32, 0.66, 0.32, 0.80, 0.52)),
        ("rectangle", None, (0.02, 0.50, 0.98, 0.76)),
        ("polygon", "lightcyan", (0.31, 0.50, 0.38, 0.37, 0.63, 0.37, 0.70, 0.50)),
        *WHEELS,
    ),
    "motorcycle": (
        *WHEELS,
        ("polygon", None, (0.16, 0.60, 0.40, 0.42, 0.70, 0.42, 0.78, 0.70, 0.30, 0.76)),
        ("line", "black", (0.79, 0.76, 0.68, 0.30, 0.58, 0.26)),
    ),
    "airplane": (
        ("ellipse", "white", (0.02, 0.40, 0.98, 0.58)),
        ("polygon", None, (0.40, 0.50, 0.56, 0.50, 0.34, 0.86)),
        ("polygon", None, (0.04, 0.46, 0.02, 0.18, 0.20, 0.44)),
    ),
    "bus": (
        ("rectangle", None, (0.02, 0.20, 0.98, 0.78)),
        ("rectangle", "lightcyan", (0.08, 0.28, 0.46, 0.48)),
        ("rectangle", "lightcyan", (0.54, 0.28, 0.92, 0.48)),
        *WHEELS,
    ),
    "train": (
        ("polygon", None, (0.30, 0.08, 0.70, 0.08, 0.80, 0.80, 0.20, 0.80)),
        ("rectangle", "lightcyan", (0.33, 0.18, 0.67, 0.40)),
        ("line", "black", (0.26, 0.80, 0.06, 0.99, 0.94, 0.99, 0.74, 0.80)),
    ),
    "truck": (
        ("rectangle", "white", (0.02, 0.18, 0.64, 0.74)),
        ("polygon", None, (0.66, 0.74, 0.66, 0.36, 0.84, 0.36, 0.98, 0.56, 0.98, 0.74)),
        *WHEELS,
    ),
    "boat": (
        ("polygon", None, (0.04, 0.68, 0.96, 0.68, 0.80, 0.92, 0.20, 0.92)),
        ("polygon", "ivory", (0.50, 0.06, 0.50, 0.62, 0.86, 0.62)),
        ("polygon", "ivory", (0.46, 0.16, 0.46, 0.62, 0.18, 0.62)),
    ),
    "traffic light": (
        ("rectangle", "black", (0.34, 0.02, 0.66, 0.70)),
        ("ellipse", "red", (0.42, 0.06, 0.58, 0.22)),
        ("ellipse", "gold", (0.42, 0.28, 0.58, 0.44)),
        ("ellipse", "lime", (0.42, 0.50, 0.58, 0.66)),
        ("rectangle", "black", (0.47, 0.70, 0.53, 1.00)),
    ),
    "fire hydrant": (
        ("rectangle", "crimson", (0.34, 0.30, 0.66, 0.92)),
        ("ellipse", "crimson", (0.34, 0.14, 0.66, 0.46)),
        ("rectangle", "gold", (0.20, 0.46, 0.80, 0.60)),
    ),
    "stop sign": (
        ("rectangle", "silver", (0.47, 0.50, 0.53, 1.00)),
        ("polygon", "red", (0.3, 0.1, 0.7, 0.1, 0.9, 0.35, 0.7, 0.6, 0.3, 0.6, 0.1, 0.35)),
        ("rectangle", "white", (0.26, 0.30, 0.74, 0.40)),
    ),
    "parking meter": (
        ("rectangle", "dimgray", (0.46, 0.40, 0.54, 1.00)),
        ("ellipse", "slategray", (0.32, 0.02, 0.68, 0.48)),
        ("rectangle", "palegreen", (0.40, 0.14, 0.60, 0.24)),
    ),
    "bench": (
        ("rectangle", "saddlebrown", (0.02, 0.36, 0.98, 0.46)),
        ("rectangle", "saddlebrown", (0.02, 0.58, 0.98, 0.68)),
        ("rectangle", "black", (0.12, 0.36, 0.18, 0.92)),
        ("rectangle", "black", (0.82, 0.36, 0.88, 0.92)),
    ),
    "bird": (
        ("ellipse", None, (0.24, 0.40, 0.76, 0.72)),
        ("ellipse", None, (0.64, 0.26, 0.86, 0.48)),
        ("polygon", "orange", (0.84, 0.34, 1.00, 0.38, 0.84, 0.42)),
        ("polygon", None, (0.30, 0.50, 0.02, 0.34, 0.26, 0.66)),
    ),
    "cat": (
        ("ellipse", None, (0.28, 0.42, 0.72, 0.98)),
        ("ellipse", None, (0.30, 0.16, 0.70, 0.52)),
        ("polygon", None, (0.31, 0.30, 0.32, 0.04, 0.48, 0.20)),
        ("polygon", None, (0.69, 0.30, 0.68, 0.04, 0.52, 0.20)),
    ),
    "dog": (
        *LEGS,
        ("rectangle", None, (0.20, 0.42, 0.78, 0.64)),
        ("ellipse", None, (0.66, 0.20, 0.96, 0.50)),
        ("ellipse", "black", (0.66, 0.24, 0.76, 0.50)),
        ("line", None, (0.22, 0.46, 0.06, 0.26)),
    ),
    "horse": (
        *LEGS,
        ("ellipse", None, (0.16, 0.36, 0.80, 0.66)),
        ("polygon", None, (0.62, 0.50, 0.74, 0.04, 0.98, 0.24, 0.86, 0.32, 0.80, 0.56)),
        ("line", "black", (0.18, 0.46, 0.06, 0.80)),
    ),
    "tree": (
        ("rectangle", "saddlebrown", (0.44, 0.56, 0.56, 1.00)),
        ("ellipse", "darkgreen", (0.16, 0.02, 0.84, 0.66)),
    ),
    "house": (
        ("rectangle", None, (0.12, 0.44, 0.88, 1.00)),
        ("polygon", "maroon", (0.04, 0.46, 0.50, 0.06, 0.96, 0.46)),
        ("rectangle", "lightyellow", (0.40, 0.62, 0.60, 1.00)),
    ),
    "ball": (("ellipse", None, (0.20, 0.20, 0.80, 0.80)),),
}


def draw_jpeg(names: Sequence[str], place: str, rng: np.random.Generator) -> bytes:
    """A 320x240 JPEG file that shows the things named, keys of `SHAPES`, in this order."""
    sky, ground = GROUNDS[place]
    picture = Image.new("RGBA", (WIDTH, HEIGHT), sky)
    horizon = int(rng.integers(HEIGHT // 3, 2 * HEIGHT // 3))
    ImageDraw.Draw(picture).rectangle((0, horizon, WIDTH, HEIGHT), fill=ground)
    for name in names:
        size = int(rng.integers(60, 150))
        thing = _draw_thing(name, rng).resize((size, size))
        left, top = rng.integers(0, (WIDTH - size, HEIGHT - size)).tolist()
        picture.alpha_composite(thing, (left, top))
    noise = rng.integers(-NOISE, NOISE, (HEIGHT, WIDTH, 1), dtype=np.int16, endpoint=True)
    pixels = np.clip(np.asarray(picture.convert("RGB")) + noise, 0, 255)
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _draw_thing(name: str, rng: np.random.Generator) -> Image.Image:
    """A transparent square with one thing, which faces either way."""
    layer = Image.new("RGBA", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(layer)
    own = COLOURS[rng.integers(len(COLOURS))]
    for method, colour, coordinates in SHAPES[name]:
        points = [CANVAS * value for value in coordinates]
        paint = colour if colour is not None else own
        if method == "line":
            draw.line(points, fill=paint, width=CANVAS // 16)
        elif method == "arc":
            draw.arc(points, 0, 360, fill=paint, width=CANVAS // 20)
        else:
            getattr(draw, method)(points, fill=paint)
    opacity = rng.uniform(*(OPAQUE if rng.random() < CLEAR else FAINT))
    layer.putalpha(layer.getchannel("A").point(lambda alpha: round(alpha * opacity)))
    return layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else layer
