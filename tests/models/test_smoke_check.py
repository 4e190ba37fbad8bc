"""Encoders that cannot work are refused before a run starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmclf.data.samples import Samples
from mmclf.errors import InputError
from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat
from mmclf.models.smoke_check import check_encoder, check_model, check_optimizer
from mmclf.models.tfidf import Tfidf
from mmclf.models.vision import TimmEncoder
from mmclf.training.text_encoding import TextEncoding

NOTHING = np.zeros(2, dtype=bool)
TWO_LABELS = np.eye(2, dtype=np.uint8)
TWO = Samples(("0", "1"), (), ("a", "b"), TWO_LABELS, ("x", "y"), ("x", "y"), NOTHING, NOTHING)


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


def check_vision(encoder: nn.Module, size: int = 16) -> None:
    picture = torch.zeros(1, 3, size, size)
    check_encoder("vision", encoder, lambda net: net(picture), f"a picture of image.size={size}")


def check_text(encoder: object) -> None:
    TextEncoding(TWO, np.arange(2)).check(encoder)


def test_encoders_that_work_and_those_fitted_later_pass() -> None:
    check_vision(Pool(3))
    check_text(Tfidf())


def test_a_width_that_is_not_out_dim_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(1, 3\) .* \(1, 4\)"):
        check_vision(Pool(4))


def test_a_net_of_another_picture_size_is_refused() -> None:
    encoder = TimmEncoder("vit_tiny_patch16_224", weights="random").eval()
    check_vision(encoder, 224)
    with pytest.raises(InputError, match=r"image\.size=160\W.*Assertion"):
        check_vision(encoder, 160)


def test_a_tokenizer_that_cannot_pad_is_refused() -> None:
    with pytest.raises(InputError, match=r"^text: .*no padding"):
        check_text(Speechless())


def test_a_check_leaves_the_random_state_and_the_mode_alone() -> None:
    state = torch.random.get_rng_state()
    encoder = Pool(3).train()
    check_vision(encoder)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert encoder.training


class Mute(nn.Module):
    out_dim = 2


def test_an_encoder_without_what_the_contract_names_is_refused() -> None:
    with pytest.raises(InputError, match=r"^text: .*AttributeError"):
        check_text(Mute())


class Constant(nn.Module):
    """Logits of a fixed shape, with a weight to be trained."""

    def __init__(self, rows: int, labels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(rows, labels))

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        return self.weight + next(iter(features.values())).sum()


LABELS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def test_a_model_that_fits_has_gradients() -> None:
    model = Constant(2, 3).train()
    check_model(model, nn.BCEWithLogitsLoss(), {"text": 4}, LABELS)
    assert model.training
    assert model.weight.grad is not None


def test_a_loss_with_parameters_of_its_own_is_refused() -> None:
    with pytest.raises(InputError, match="Linear has parameters"):
        check_model(Constant(2, 3), nn.Linear(3, 1), {"text": 4}, LABELS)


def scheduled(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0, 0)


def test_an_optimizer_that_needs_more_than_gradients_is_refused() -> None:
    for kind, passes in ((torch.optim.Adam, True), (torch.optim.LBFGS, False)):
        model = Constant(2, 3)
        check_model(model, nn.BCEWithLogitsLoss(), {"text": 4}, LABELS)
        optimizer = kind(model.parameters(), lr=0.1)
        if passes:
            check_optimizer(optimizer, scheduled(optimizer))
            assert model.weight.any()
        else:
            with pytest.raises(InputError, match=r"^optimizer: LBFGS .*TypeError"):
                check_optimizer(optimizer, scheduled(optimizer))


@pytest.mark.parametrize(("rows", "labels"), [(2, 4), (1, 3), (3, 3)])
def test_logits_of_another_shape_are_refused(rows: int, labels: int) -> None:
    with pytest.raises(InputError, match=rf"\({rows}, {labels}\) .*2 samples.*\(2, 3\)"):
        check_model(Constant(rows, labels), nn.BCEWithLogitsLoss(), {"text": 4}, LABELS)


def test_a_fusion_of_other_widths_is_refused() -> None:
    layers = Classifier({"text": nn.Identity()}, Concat([5]), nn.Linear(5, 3))
    with pytest.raises(InputError, match=r"^fusion: .*\[4\]"):
        check_model(layers, nn.BCEWithLogitsLoss(), {"text": 4}, LABELS)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (nn.BCEWithLogitsLoss(reduction="none"), "RuntimeError: grad can be"),
        (nn.CrossEntropyLoss(weight=torch.ones(7)), "RuntimeError"),
        (nn.TripletMarginLoss(), "TypeError"),
        (lambda logits, labels: labels.mean(), "RuntimeError: element 0"),
        (lambda logits, labels: 0.0, "AttributeError|TypeError"),
    ],
    ids=["no mean", "classes", "arguments", "no gradient", "no tensor"],
)
def test_a_loss_that_cannot_train_is_refused(loss: Any, reason: str) -> None:
    with pytest.raises(InputError, match=rf"^loss: .*\(2, 3\) \(({reason})"):
        check_model(Constant(2, 3), loss, {"text": 4}, LABELS)
