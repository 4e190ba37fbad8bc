from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from mmclf.training.batch_augment import augmented


def pictures(count: int = 6, height: int = 9, width: int = 7) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator)


def drawn(
    some: Tensor,
    seed: int = 0,
    *,
    padding: int = 0,
    horizontal_flip: float = 0.0,
    vertical_flip: float = 0.0,
) -> Tensor:
    return augmented(
        some,
        torch.Generator().manual_seed(seed),
        padding=padding,
        horizontal_flip=horizontal_flip,
        vertical_flip=vertical_flip,
    )


def test_nothing_asked_for_changes_nothing() -> None:
    assert torch.equal(drawn(pictures()), pictures())


def test_a_certain_flip_turns_every_picture() -> None:
    assert torch.equal(drawn(pictures(), vertical_flip=1.0), pictures().flip(1))
    assert torch.equal(drawn(pictures(), horizontal_flip=1.0), pictures().flip(2))


@pytest.mark.parametrize("flips", [0.0, 1.0])
def test_every_crop_is_one_of_torchvisions(flips: float) -> None:
    """The reference pads by reflection, crops and flips with torchvision."""
    some = pictures(40)
    padding = 2
    found = drawn(some, padding=padding, horizontal_flip=flips, vertical_flip=flips)
    places = set()
    for before, after in zip(some, found, strict=True):
        channels_first = before.permute(2, 0, 1)
        padded = v2.functional.pad(channels_first, [padding] * 4, padding_mode="reflect")
        crops = {
            (top, left): padded[:, top : top + 9, left : left + 7]
            for top in range(2 * padding + 1)
            for left in range(2 * padding + 1)
        }
        if flips:
            crops = {
                place: v2.functional.vertical_flip(v2.functional.horizontal_flip(crop))
                for place, crop in crops.items()
            }
        matches = [k for k, crop in crops.items() if torch.equal(crop.permute(1, 2, 0), after)]
        assert len(matches) == 1
        places.add(matches[0])
    assert len(places) > 10  # 40 draws of 25 places: every picture has its own


def test_pictures_of_a_batch_are_flipped_apart() -> None:
    some = pictures(200)
    found = drawn(some, horizontal_flip=0.25)
    flipped = sum(torch.equal(a.flip(1), b) for a, b in zip(some, found, strict=True))
    same = sum(torch.equal(a, b) for a, b in zip(some, found, strict=True))
    assert flipped + same == 200
    assert 25 <= flipped <= 75  # 50 expected, a deviation of 6


def test_the_draws_are_the_generators_alone() -> None:
    first, again, other = (
        drawn(pictures(), seed, padding=3, horizontal_flip=0.5, vertical_flip=0.5)
        for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
