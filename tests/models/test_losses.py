from __future__ import annotations

import math

import pytest
import torch
from message_facts import Naming
from torch import Tensor, nn
from torchvision.ops import sigmoid_focal_loss

from mmclf.config.signature_check import check_component
from mmclf.models.losses import AsymmetricLoss, FocalLoss, WeightedBCE, WeightForm, positive_weights

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


QUARTERS = math.log(3)  # the logit of p = 3/4
FOCUSED = [
    FocalLoss(),
    FocalLoss(0.5, 0.25),
    AsymmetricLoss(),
    AsymmetricLoss(0.5, 0.1, 0.2),
    AsymmetricLoss(0.5, 2.0, 0.0),
]
every_focused = pytest.mark.parametrize(
    "loss", FOCUSED, ids=[f"{type(loss).__name__}{i}" for i, loss in enumerate(FOCUSED)]
)


def some(*shape: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(*shape, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 2, shape, generator=generator)
    return logits.to(dtype), labels.to(dtype)


def of_one(loss: nn.Module, logit: float, label: float) -> tuple[float, float]:
    """The loss of one label of one sample, and its derivative by the logit."""
    logits = torch.tensor([[logit]], requires_grad=True)
    value = loss(logits, torch.tensor([[label]]))
    (slope,) = torch.autograd.grad(value, logits)
    return value.item(), slope.item()


@pytest.mark.parametrize(
    ("gamma", "alpha", "label", "expected"),
    [
        (2.0, None, 1.0, (1 / 4) ** 2 * math.log(4 / 3)),
        (2.0, None, 0.0, (3 / 4) ** 2 * math.log(4)),
        (0.5, None, 1.0, math.sqrt(1 / 4) * math.log(4 / 3)),
        (0.0, None, 0.0, math.log(4)),
        (1.0, 0.25, 1.0, 0.25 * (1 / 4) * math.log(4 / 3)),
        (1.0, 0.25, 0.0, 0.75 * (3 / 4) * math.log(4)),
        (1.0, 1.0, 0.0, 0.0),
        (1.0, 0.0, 1.0, 0.0),
    ],
)
def test_literal_focal_losses(
    gamma: float, alpha: float | None, label: float, expected: float
) -> None:
    assert of_one(FocalLoss(gamma, alpha), QUARTERS, label)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "label", "expected"),
    [
        ((2.0, 3.0, 0.25), 1.0, (1 / 4) ** 3 * math.log(4 / 3)),  # the margin is for negatives
        ((2.0, 3.0, 0.25), 0.0, (1 / 2) ** 2 * math.log(2)),
        ((0.5, 0.0, 0.5), 0.0, math.sqrt(1 / 4) * math.log(4 / 3)),
        ((0.0, 0.0, 0.5), 0.0, math.log(4 / 3)),
        ((1.0, 0.5, 0.0), 0.0, (3 / 4) * math.log(4)),
        ((1.0, 0.5, 0.0), 1.0, math.sqrt(1 / 4) * math.log(4 / 3)),
        ((0.0, 0.0, 0.8), 0.0, 0.0),
    ],
)
def test_literal_asymmetric_losses(
    settings: tuple[float, float, float], label: float, expected: float
) -> None:
    value, _ = of_one(AsymmetricLoss(*settings), QUARTERS, label)
    assert value == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_without_focus_they_are_binary_cross_entropy() -> None:
    logits, labels = some(40, 7, dtype=torch.float32)
    expected = nn.BCEWithLogitsLoss()(logits, labels)
    assert torch.equal(FocalLoss(0.0)(logits, labels), expected)
    assert torch.equal(FocalLoss(0.0, 0.5)(logits, labels), expected / 2)
    torch.testing.assert_close(AsymmetricLoss(0.0, 0.0, 0.0)(logits, labels), expected)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_the_focal_loss_is_torchvisions(gamma: float, alpha: float | None) -> None:
    logits, labels = some(40, 7)
    given = -1 if alpha is None else alpha
    expected = sigmoid_focal_loss(logits, labels, given, gamma, reduction="mean")
    torch.testing.assert_close(FocalLoss(gamma, alpha)(logits, labels), expected)


def test_equal_gammas_without_margin_are_the_focal_loss() -> None:
    logits, labels = some(40, 7)
    for gamma in (0.5, 1.0, 3.0):
        torch.testing.assert_close(
            AsymmetricLoss(gamma, gamma, 0.0)(logits, labels), FocalLoss(gamma)(logits, labels)
        )


@pytest.mark.parametrize("settings", [(4.0, 0.0, 0.05), (3.0, 1.0, 0.2), (0.5, 0.25, 0.0)])
def test_the_asymmetric_loss_is_the_papers(settings: tuple[float, float, float]) -> None:
    """L = -y L+ - (1 - y) L-, the two as in the paper, one label of one sample at a time."""
    logits, labels = some(20, 3)
    gamma_neg, gamma_pos, margin = settings
    total = 0.0
    for z, y in zip(logits.flatten().tolist(), labels.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        shifted = max(p - margin, 0)
        positive = (1 - p) ** gamma_pos * math.log(p)
        negative = shifted**gamma_neg * math.log(1 - shifted)
        total += -y * positive - (1 - y) * negative
    actual = AsymmetricLoss(*settings)(logits, labels)
    assert actual.item() == pytest.approx(total / 60, rel=1e-12)


def test_the_defaults() -> None:
    focal, asymmetric = FocalLoss(), AsymmetricLoss()
    assert (focal.gamma, focal.alpha) == (2.0, None)
    assert (asymmetric.gamma_neg, asymmetric.gamma_pos, asymmetric.clip) == (4.0, 0.0, 0.05)


@pytest.mark.parametrize("gamma_neg", [0.0, 0.5, 4.0])
def test_easy_negatives_are_dropped(gamma_neg: float) -> None:
    loss = AsymmetricLoss(gamma_neg, 1.0, clip=0.05)
    margin = math.log(0.05 / 0.95)
    assert of_one(loss, margin - 0.01, 0.0) == (0.0, 0.0)
    value, slope = of_one(loss, margin + 0.1, 0.0)
    assert value > 0
    assert slope > 0
    assert of_one(loss, margin - 0.01, 1.0)[1] < -0.5  # a positive there is a hard one


@every_focused
@pytest.mark.parametrize("logit", [-1000.0, -100.0, -20.0, 0.0, 20.0, 100.0, 1000.0])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_far_logits_have_a_finite_loss_and_slope(
    loss: nn.Module, logit: float, label: float
) -> None:
    value, slope = of_one(loss, logit, label)
    assert 0 <= value < math.inf
    # Never away from the label.
    assert (-math.inf < slope <= 0) if label == 1 else (0 <= slope < math.inf)


@pytest.mark.parametrize("loss", [FocalLoss(2.0), FocalLoss(0.5), AsymmetricLoss(4.0, 1.0, 0.05)])
def test_a_positive_far_on_the_wrong_side_counts_in_full(loss: nn.Module) -> None:
    assert of_one(loss, -100.0, 1.0) == (100.0, -1.0)


def test_a_negative_far_on_the_wrong_side() -> None:
    assert of_one(FocalLoss(0.5), 100.0, 0.0) == (100.0, 1.0)
    assert of_one(AsymmetricLoss(0.5, clip=0.0), 100.0, 0.0) == (100.0, 1.0)
    # With a margin, one as sure as that is taken for a wrong label.
    assert of_one(AsymmetricLoss(4.0, clip=0.05), 100.0, 0.0)[1] == 0.0


@every_focused
def test_slopes_are_those_of_the_values(loss: nn.Module) -> None:
    logits, labels = some(6, 4)
    logits = torch.cat([logits, logits.new_tensor([[-9.0, -1.0, 1.0, 9.0]])]).requires_grad_()
    labels = torch.cat([labels, labels.new_tensor([[1.0, 1.0, 0.0, 0.0]])])
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (logits,))


@every_focused
def test_a_mean_does_not_depend_on_how_often_a_batch_is_counted(loss: nn.Module) -> None:
    logits, labels = some(6, 4)
    value = loss(logits, labels)
    assert value.shape == ()
    torch.testing.assert_close(loss(logits.repeat(3, 2), labels.repeat(3, 2)), value)
    rows = [loss(logits[i : i + 1], labels[i : i + 1]) for i in range(6)]
    torch.testing.assert_close(torch.stack(rows).mean(), value)


@every_focused
def test_half_precision_logits_are_computed_in_full(loss: nn.Module) -> None:
    logits, labels = some(40, 7, dtype=torch.float32)
    half = logits.bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(half, labels)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss(half.float(), labels))
    value.backward()
    assert half.grad is not None
    assert half.grad.isfinite().all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gamma": 0.0, "alpha": None}, None),
        ({"gamma": 2, "alpha": 1.0}, None),
        ({"gamma": -0.1}, Naming("loss.gamma", "-0.1", "0.0")),
        ({"gamma": math.inf}, Naming("loss.gamma", "inf", "finite", "number")),
        ({"gamma": None}, Naming("loss.gamma", "null", "number")),
        ({"alpha": -0.1}, Naming("loss.alpha", "-0.1", "0.0", "null")),
        ({"alpha": 1.1}, Naming("loss.alpha", "1.1", "1.0", "null")),
    ],
)
def test_focal_settings_are_checked(settings: dict[str, object], words: Naming | None) -> None:
    node = {"_target_": "mmclf.models.losses.FocalLoss"} | settings
    assert check_component(node, "loss", "loss", []) == ([] if words is None else [words])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gamma_neg": 0, "gamma_pos": 0.5, "clip": 0.0}, None),
        ({"clip": 0.99}, None),
        ({"clip": 1.0}, Naming("loss.clip", "1.0", "number", "below", "1.0")),
        ({"clip": -0.05}, Naming("loss.clip", "-0.05", "0.0")),
        ({"clip": None}, Naming("loss.clip", "null", "number")),
        ({"gamma_neg": -1}, Naming("loss.gamma_neg", "-1", "0.0")),
        ({"gamma_pos": math.nan}, Naming("loss.gamma_pos", "nan", "finite", "number")),
    ],
)
def test_asymmetric_settings_are_checked(settings: dict[str, object], words: Naming | None) -> None:
    node = {"_target_": "mmclf.models.losses.AsymmetricLoss"} | settings
    assert check_component(node, "loss", "loss", []) == ([] if words is None else [words])
