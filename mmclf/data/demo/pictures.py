"""From a demo scene to a JPEG file: drawing, then dark, haze, blur and noise."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mmclf.data.demo import backdrops, beings, crafts, extras, street, vehicles
from mmclf.data.demo.pen import Colour, Paint, Pen, shade
from mmclf.data.demo.scenes import Extra, Scene, Thing
from mmclf.data.demo.tables import COLOURS, PROPORTIONS

WIDTH, HEIGHT = 320, 240
# Drawn larger and averaged down, since PIL draws without smooth edges.
OVERSAMPLING = 2
QUALITY = 88

SKINS: tuple[Colour, ...] = ((250, 214, 180), (232, 184, 142), (190, 132, 92), (122, 82, 58))
HAIRS: tuple[Colour, ...] = ((40, 32, 30), (104, 66, 40), (206, 160, 84), (172, 84, 44))

THINGS: dict[int, Callable[[Pen, Paint], None]] = {
    1: beings.person,
    2: vehicles.bicycle,
    3: vehicles.car,
    4: vehicles.motorcycle,
    5: crafts.airplane,
    6: vehicles.bus,
    7: vehicles.train,
    8: vehicles.truck,
    9: crafts.boat,
    10: street.traffic_light,
    11: street.fire_hydrant,
    13: street.stop_sign,
    14: street.parking_meter,
    15: street.bench,
    16: beings.bird,
    17: beings.cat,
    18: beings.dog,
    19: beings.horse,
}

DECOR: dict[str, Callable[[Pen, Colour], None]] = {
    "tree": extras.tree,
    "bush": extras.bush,
    "lamp": extras.lamp,
    "mailbox": extras.mailbox,
    "sign": extras.sign,
    "umbrella": extras.umbrella,
    "kite": extras.kite,
    "plant": extras.plant,
    "table": extras.table,
    "cake": extras.cake,
    "box": extras.box,
    "post": extras.post,
    "ball": extras.ball,
    "rock": extras.rock,
    "tower": extras.tower,
    "clock": extras.clock,
    "sheep": extras.sheep,
    "elephant": extras.elephant,
    "teddy": extras.teddy,
}


def jpeg(scene: Scene, rng: np.random.Generator) -> bytes:
    """The scene as the bytes of a 320x240 JPEG file."""
    buffer = io.BytesIO()
    picture = taken(drawn(scene, rng), scene, rng)
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def drawn(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """The scene as a clean 320x240 RGB drawing."""
    canvas = Image.new("RGB", (WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING))
    draw = ImageDraw.Draw(canvas)
    backdrops.paint(Pen(draw, 0, 0, canvas.width, canvas.height), scene.backdrop, rng)
    for extra in scene.behind:
        _draw_extra(draw, extra)
    for thing in scene.things:
        _draw_thing(draw, thing, rng)
    for extra in scene.before:
        _draw_extra(draw, extra)
    return canvas.reduce(OVERSAMPLING)


def taken(picture: Image.Image, scene: Scene, rng: np.random.Generator) -> Image.Image:
    """The drawing as a poor camera sees it: RGB of the same size."""
    if scene.blur > 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(scene.blur))
    pixels = np.asarray(picture, dtype=np.float32)
    # Fog is grey and not white, or else every hazy picture would also be a bright one.
    pixels = (pixels * (1 - scene.haze) + 190 * scene.haze) * scene.light
    tint = rng.uniform(0.93, 1.07, size=3).astype(np.float32)
    grain = rng.standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32) * scene.noise
    return Image.fromarray(np.clip(pixels * tint + grain, 0, 255).astype(np.uint8))


def _draw_thing(draw: ImageDraw.ImageDraw, thing: Thing, rng: np.random.Generator) -> None:
    aspect = PROPORTIONS[thing.category][1]
    pen = _pen(draw, thing, aspect, flip=thing.flip)
    names = list(COLOURS)
    paint = Paint(
        main=shade(COLOURS[thing.colour], rng.uniform(0.85, 1.15)),
        other=COLOURS[names[int(rng.integers(len(names)))]],
        skin=SKINS[int(rng.integers(len(SKINS)))],
        hair=HAIRS[int(rng.integers(len(HAIRS)))],
        variant=thing.variant,
        pose=thing.pose,
    )
    THINGS[thing.category](pen, paint)


def _draw_extra(draw: ImageDraw.ImageDraw, extra: Extra) -> None:
    pen = _pen(draw, extra, 1.0, flip=False)
    DECOR[extra.kind](pen, COLOURS[extra.colour])


def _pen(draw: ImageDraw.ImageDraw, thing: Thing | Extra, aspect: float, *, flip: bool) -> Pen:
    """A pen for the box in which the thing stands; `aspect` is its width over its height."""
    tall = thing.height * HEIGHT * OVERSAMPLING
    wide = tall * aspect
    left = thing.x * WIDTH * OVERSAMPLING - wide / 2
    return Pen(draw, left, thing.bottom * HEIGHT * OVERSAMPLING - tall, wide, tall, flip)
