from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mmclf.losses import WeightedBCE, WeightForm, positive_weights

# Of 8 samples, label 0 stands on 4, label 1 on 1, label 2 on 2, label 3 on none, label 4 on all.
LABELS = torch.zeros(8, 5)
LABELS[:4, 0] = 1
LABELS[:1, 1] = 1
LABELS[:2, 2] = 1
LABELS[:, 4] = 1


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("raw", [1.0, 7.0, 3.0, 20.0, 0.0]),
        ("sqrt", [1.0, math.sqrt(7), math.sqrt(3), 20.0, 0.0]),
        ("log", [math.log(2), math.log(8), math.log(4), 20.0, 0.0]),
    ],
)
def test_weights_by_form(form: WeightForm, expected: list[float]) -> None:
    weights = positive_weights(LABELS, form, 20.0)
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights, torch.tensor(expected))


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (7.5, [1.0, 7.0, 3.0, 7.5, 0.0]),
        (7.0, [1.0, 7.0, 3.0, 7.0, 0.0]),
        (6.5, [1.0, 6.5, 3.0, 6.5, 0.0]),
        (None, [1.0, 7.0, 3.0, 1.0, 0.0]),
    ],
)
def test_weights_have_an_upper_bound(bound: float | None, expected: list[float]) -> None:
    torch.testing.assert_close(positive_weights(LABELS, "raw", bound), torch.tensor(expected))


def test_the_log_is_that_of_samples_over_positives() -> None:
    weights = positive_weights(LABELS, "log", None)[:3]
    torch.testing.assert_close(weights, torch.log(8 / LABELS.sum(0)[:3]))


def written_out(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """The mean of -(w y log p + (1 - y) log(1 - p)), as torch's BCEWithLogitsLoss documents it."""
    p = torch.sigmoid(logits)
    return -(weights * labels * p.log() + (1 - labels) * (1 - p).log()).mean()


@pytest.mark.parametrize("form", ["raw", "sqrt", "log"])
def test_the_loss_is_the_written_out_one(form: WeightForm) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 5, dtype=torch.float64), torch.randint(0, 2, (6, 5)).double()
    loss = WeightedBCE(LABELS, form, 4.0)
    weights = positive_weights(LABELS, form, 4.0)
    torch.testing.assert_close(loss(logits, labels), written_out(logits, labels, weights))
    reference = torch.nn.BCEWithLogitsLoss(pos_weight=weights)
    assert torch.equal(loss(logits, labels), reference(logits, labels))


def test_a_literal_loss() -> None:
    # At logit 0, p = 1/2: a positive of weight 3 costs 3 ln 2 and a negative ln 2.
    loss = WeightedBCE(torch.tensor([[1.0], [0.0], [0.0], [0.0]]), "raw", None)
    value = loss(torch.zeros(2, 1), torch.tensor([[1.0], [0.0]]))
    assert value.item() == pytest.approx(2 * math.log(2))


def test_the_default_is_log_with_a_bound_of_10() -> None:
    rare = torch.zeros(100_000, 2)
    rare[0, 0], rare[:50_000, 1] = 1, 1
    torch.testing.assert_close(WeightedBCE(rare).pos_weight, torch.tensor([10.0, math.log(2)]))


def test_finite_where_a_label_has_no_positives() -> None:
    for form in ("raw", "sqrt", "log"):
        loss = WeightedBCE(torch.zeros(4, 2), form, None)
        assert loss(torch.randn(3, 2), torch.zeros(3, 2)).isfinite()
