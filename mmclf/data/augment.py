"""Augmented views of images, each a function of the image, the view's number and a seed."""

from __future__ import annotations

import hashlib

import numpy as np

from mmclf.data.images import Pictures


def augment_view(
    pictures: Pictures,
    view: int,
    *,
    padding: int,
    horizontal_flip: float,
    vertical_flip: float,
    seed: int,
) -> Pictures:
    """View number `view` of images (B, H, W, 3), of the same shape; view 0 is not augmented.

    An image is padded by `padding` reflected pixels, cropped at random to its own size, then
    flipped with the given probabilities. Random draws depend only on the image's content, `view`
    and `seed`, so neither order nor batch size changes a view.
    """
    if view == 0:
        return pictures
    return np.stack(
        [
            _augment_one(
                picture, _generator(picture, view, seed), padding, horizontal_flip, vertical_flip
            )
            for picture in pictures
        ]
    )


def _generator(picture: Pictures, view: int, seed: int) -> np.random.Generator:
    content = hashlib.blake2b(picture.tobytes(), digest_size=8).digest()
    return np.random.default_rng([seed, view, int.from_bytes(content, "little")])


def _augment_one(
    picture: Pictures,
    generator: np.random.Generator,
    padding: int,
    horizontal_flip: float,
    vertical_flip: float,
) -> Pictures:
    height, width, _ = picture.shape
    top, left = generator.integers(0, 2 * padding + 1, size=2)
    padded = np.pad(picture, ((padding, padding), (padding, padding), (0, 0)), mode="reflect")
    cropped = padded[top : top + height, left : left + width]
    horizontal, vertical = generator.random(2)
    if horizontal < horizontal_flip:
        cropped = cropped[:, ::-1]
    if vertical < vertical_flip:
        cropped = cropped[::-1]
    return cropped
