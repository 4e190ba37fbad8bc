"""Encoders that cannot work are refused before a run starts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from mmclf.errors import InputError
from mmclf.models.tfidf import Tfidf
from mmclf.models.vision import TimmEncoder
from mmclf.trial import encoders_fit


class Pool(nn.Module):
    """Three means of a picture, claimed to be `out_dim` wide."""

    def __init__(self, out_dim: int) -> None:
        super().__init__()
        self.out_dim = out_dim

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.mean(dim=(2, 3))


class Speechless(nn.Module):
    out_dim = 2

    def tokenize(self, captions: Sequence[str]) -> dict[str, Tensor]:
        raise ValueError("no padding token")


def test_encoders_that_work_and_those_fitted_later_pass() -> None:
    encoders_fit({"vision": Pool(3), "text": Tfidf()}, 16)


def test_a_width_that_is_not_out_dim_is_refused() -> None:
    with pytest.raises(InputError, match=r"makes \(1, 3\) of one sample, expected \(1, 4\)"):
        encoders_fit({"vision": Pool(4)}, 16)


def test_a_net_of_another_picture_size_is_refused() -> None:
    encoder = TimmEncoder("vit_tiny_patch16_224", weights="random").eval()
    encoders_fit({"vision": encoder}, 224)
    with pytest.raises(InputError, match=r"cannot take a picture of image\.size=160 \(Assertion"):
        encoders_fit({"vision": encoder}, 160)


def test_a_tokenizer_that_cannot_pad_is_refused() -> None:
    with pytest.raises(InputError, match=r"text: the encoder cannot take a caption .*no padding"):
        encoders_fit({"text": Speechless()}, 16)


def test_the_trial_leaves_the_random_state_alone() -> None:
    state = torch.random.get_rng_state()
    encoders_fit({"vision": Pool(3)}, 16)
    assert torch.equal(torch.random.get_rng_state(), state)
