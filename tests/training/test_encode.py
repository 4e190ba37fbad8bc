from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.models.pooling import mean_pool
from mmclf.training.encode import encode_captions, encode_images, standardise

CPU = torch.device("cpu")


class Flat:
    """Features are the pixels themselves."""

    def __init__(self, size: int) -> None:
        self.out_dim = 3 * size * size
        self.mean, self.std = (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)
        self.batches: list[int] = []

    def __call__(self, pictures: Tensor, /) -> Tensor:
        self.batches.append(len(pictures))
        return pictures.flatten(1)


class ImageNetFlat:
    out_dim = 3

    def __call__(self, pictures: Tensor, /) -> Tensor:
        return pictures.flatten(1)


class Characters:
    """Tokens are characters, their features powers of the code, pooled by their mean."""

    out_dim = 3

    def __init__(self) -> None:
        self.widths: list[int] = []

    def tokenize(self, captions: Sequence[str], /) -> Mapping[str, Tensor]:
        width = max(len(caption) for caption in captions)
        self.widths.append(width)
        # Padding has a code of its own, so that a mean that counts it is another one.
        codes = [[ord(c) for c in text] + [999] * (width - len(text)) for text in captions]
        mask = [[1] * len(text) + [0] * (width - len(text)) for text in captions]
        return {"codes": torch.tensor(codes), "attention_mask": torch.tensor(mask)}

    def __call__(self, tokens: Mapping[str, Tensor], /) -> Tensor:
        value = tokens["codes"].float() / 100
        return mean_pool(torch.stack([value, value**2, value**3], -1), tokens["attention_mask"])


def plus_view(pictures: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
    return (pictures + view).astype(np.uint8)


PICTURES = np.stack([np.full((2, 2, 3), (20 * i, 100, 7), dtype=np.uint8) for i in range(5)])


def images(
    encoder: Flat,
    advanced: list[int],
    batch_size: int = 2,
    rows: Sequence[int] = range(5),
    view: int = 0,
) -> Tensor:
    return encode_images(
        encoder,
        PICTURES,
        np.array(rows, dtype=np.int64),
        make_view=partial(plus_view, view=view),
        batch_size=batch_size,
        precision="fp32",
        device=CPU,
        advance=advanced.append,
    )


@pytest.mark.parametrize("view", [0, 1, 2])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 9])
@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [4, 0, 2]], ids=["all", "some"])
def test_rows_in_order_of_each_view(rows: list[int], batch_size: int, view: int) -> None:
    advanced: list[int] = []
    features = images(Flat(2), advanced, batch_size, rows, view)
    assert (features.shape, features.dtype) == ((len(rows), 12), torch.float32)
    expected = torch.tensor(
        [[[float(colour + view)] * 4 for colour in (20 * i, 100, 7)] for i in rows]
    )
    torch.testing.assert_close(features, expected.reshape(len(rows), 12))
    assert sum(advanced) == len(rows)


def test_no_images() -> None:
    assert images(Flat(2), [], rows=[]).shape == (0, 12)


def test_features_need_no_gradient() -> None:
    assert not images(Flat(2), []).requires_grad


def test_standardised_values_of_the_encoder() -> None:
    encoder = Flat(1)
    encoder.mean, encoder.std = (0.5, 0.25, 0.0), (0.5, 0.25, 0.125)
    pictures = np.array([[[[255, 255, 255]]], [[[0, 51, 102]]]], dtype=np.uint8)
    values = standardise(encoder, torch.from_numpy(pictures))
    # (1 - 0.5) / 0.5, (1 - 0.25) / 0.25, (1 - 0) / 0.125; 51 / 255 = 0.2 and 102 / 255 = 0.4.
    expected = torch.tensor([[1.0, 3.0, 8.0], [-1.0, -0.2, 3.2]])
    torch.testing.assert_close(values.flatten(1), expected)


def test_an_encoder_without_its_own_values_gets_imagenets() -> None:
    values = standardise(ImageNetFlat(), torch.full((1, 1, 1, 3), 255, dtype=torch.uint8))
    expected = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    torch.testing.assert_close(values.flatten(), torch.tensor(expected))


def test_standardised_pictures_are_channels_last() -> None:
    pictures = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    before = pictures.copy()
    values = standardise(Flat(1), torch.from_numpy(pictures))
    assert values.shape == (2, 3, 4, 5)
    assert values.stride() == (60, 1, 15, 3)
    assert values.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(values[1, 2, 3, 4].item(), 119.0)
    assert (pictures == before).all()
    turned = torch.from_numpy(pictures).flip(1)
    torch.testing.assert_close(standardise(Flat(1), turned), values.flip(2))


CAPTIONS = ["a long caption", "b", "of four", "xy", "zzz", "c"]


def captions(batch_size: int, advanced: list[int], encoder: Characters | None = None) -> Tensor:
    return encode_captions(
        encoder if encoder is not None else Characters(),
        CAPTIONS,
        batch_size=batch_size,
        precision="fp32",
        device=CPU,
        advance=advanced.append,
    )


@pytest.mark.parametrize("batch_size", [1, 2, 4, 100])
def test_captions_in_order_whatever_the_batch(batch_size: int) -> None:
    advanced: list[int] = []
    features = captions(batch_size, advanced)
    expected = torch.tensor(
        [
            [sum((ord(c) / 100) ** power for c in text) / len(text) for power in (1, 2, 3)]
            for text in CAPTIONS
        ]
    )
    assert features.shape == (6, 3)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)
    assert sum(advanced) == 6


def test_captions_of_like_length_share_a_batch() -> None:
    encoder = Characters()
    captions(2, [], encoder)
    assert encoder.widths == [1, 3, 14]


def test_bf16_is_used_where_asked() -> None:
    layer = torch.nn.Linear(12, 4)
    seen: list[torch.dtype] = []

    class Layered(Flat):
        def __call__(self, pictures: Tensor, /) -> Tensor:
            features: Tensor = layer(pictures.flatten(1))
            seen.append(features.dtype)
            return features

    encoder = Layered(2)
    encoder.out_dim = 4
    found = encode_images(
        encoder,
        PICTURES,
        np.arange(5),
        make_view=partial(plus_view, view=0),
        batch_size=5,
        precision="bf16",
        device=CPU,
        advance=lambda _: None,
    )
    assert seen == [torch.bfloat16]
    assert found.dtype == torch.float32


def test_captions_of_as_many_tokens_share_a_batch_where_the_encoder_tells() -> None:
    class Told(Characters):
        def token_ids(self, captions: Sequence[str]) -> list[list[int]]:
            self.texts = dict(enumerate(captions))
            lengths = [{"b": 9, "c": 9}.get(text, len(text) // 5) for text in captions]
            return [[number] * max(length, 1) for number, length in enumerate(lengths)]

        def pad(self, token_ids: Sequence[Sequence[int]]) -> Mapping[str, Tensor]:
            return self.tokenize([self.texts[ids[0]] for ids in token_ids])

    encoder = Told()
    found = captions(2, [], encoder)
    # By tokens: xy and zzz, of four and the long one, b and c.
    assert encoder.widths == [3, 14, 1]
    torch.testing.assert_close(found, captions(2, []))
