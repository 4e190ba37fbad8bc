from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mmclf.data.augment import augment_view

Pictures = NDArray[np.uint8]


def views(
    pictures: Pictures,
    number: int,
    *,
    padding: int = 2,
    horizontal: float = 0.5,
    vertical: float = 0.5,
    seed: int = 0,
) -> Pictures:
    return augment_view(
        pictures,
        number,
        padding=padding,
        horizontal_flip=horizontal,
        vertical_flip=vertical,
        seed=seed,
    )


@pytest.fixture
def pictures() -> Pictures:
    """Pictures whose pixels are all different within a picture."""
    generator = np.random.default_rng(0)
    values = [generator.permutation(256)[: 6 * 5].reshape(6, 5) for _ in range(7)]
    return np.stack([np.stack([v, 255 - v, v], axis=-1) for v in values]).astype(np.uint8)


def test_view_0_is_the_picture(pictures: Pictures) -> None:
    assert (views(pictures, 0, horizontal=1.0, vertical=1.0) == pictures).all()


ONE = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("horizontal", "vertical", "expected"),
    [
        (0.0, 0.0, [[1, 2, 3], [4, 5, 6]]),
        (1.0, 0.0, [[3, 2, 1], [6, 5, 4]]),
        (0.0, 1.0, [[4, 5, 6], [1, 2, 3]]),
        (1.0, 1.0, [[6, 5, 4], [3, 2, 1]]),
    ],
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_flips_without_padding(
    horizontal: float, vertical: float, expected: list[list[int]], number: int
) -> None:
    picture = np.repeat(np.array(ONE, dtype=np.uint8)[None, :, :, None], 3, axis=3)
    view = views(picture, number, padding=0, horizontal=horizontal, vertical=vertical)
    assert view.shape == (1, 2, 3, 3)
    for channel in range(3):
        assert view[0, :, :, channel].tolist() == expected


def test_a_crop_is_cut_out_of_the_reflected_picture(pictures: Pictures) -> None:
    picture = pictures[:1]
    # Reflected without repeating the edge: the column order 2 1 0 1 2 3 4 3 2, rows likewise.
    rows, columns = [2, 1, 0, 1, 2, 3, 4, 5, 4, 3], [2, 1, 0, 1, 2, 3, 4, 3, 2]
    padded = picture[0][rows][:, columns]
    windows = {
        padded[top : top + 6, left : left + 5].tobytes(): (top, left)
        for top in range(5)
        for left in range(5)
    }
    actual = [
        windows[views(picture, n, horizontal=0.0, vertical=0.0)[0].tobytes()] for n in range(1, 200)
    ]
    assert set(actual) == {(top, left) for top in range(5) for left in range(5)}


def test_every_pixel_of_a_view_is_of_the_picture(pictures: Pictures) -> None:
    for number in range(1, 6):
        for picture, view in zip(pictures, views(pictures, number), strict=True):
            own = {tuple(pixel) for pixel in picture.reshape(-1, 3).tolist()}
            assert {tuple(pixel) for pixel in view.reshape(-1, 3).tolist()} <= own


def test_order_and_batch_do_not_change_a_view(pictures: Pictures) -> None:
    together = views(pictures, 3)
    assert (np.concatenate([views(pictures[i : i + 1], 3) for i in range(7)]) == together).all()
    assert (views(pictures[::-1], 3)[::-1] == together).all()
    assert (views(np.asfortranarray(pictures), 3) == together).all()


@pytest.mark.parametrize("change", [{"seed": 1}, {"number": 4}])
def test_another_seed_or_number_gives_other_views(
    pictures: Pictures, change: dict[str, int]
) -> None:
    first = views(pictures, 3)
    other = views(pictures, change.get("number", 3), seed=change.get("seed", 0))
    assert (first != other).any(axis=(1, 2, 3)).sum() >= 5


def test_other_content_draws_other_crops() -> None:
    pictures = np.tile(np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1), (40, 1, 1, 3))
    pictures += np.arange(40, dtype=np.uint8)[:, None, None, None]
    shifted = views(pictures, 1, padding=3) - np.arange(40, dtype=np.uint8)[:, None, None, None]
    assert len({view.tobytes() for view in shifted}) > 20


def test_flips_come_as_often_as_they_should() -> None:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (1000, 2, 2, 3), dtype=np.uint8)
    seen = views(pictures, 1, padding=0, horizontal=0.25, vertical=0.0)
    share = (seen[:, 0, 0] == pictures[:, 0, 1]).all(axis=1).mean()
    # Four standard deviations of a binomial share at n = 1000.
    assert share == pytest.approx(0.25, abs=0.055)
