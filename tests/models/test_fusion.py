from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from message_facts import Naming
from torch import Tensor, nn

from mmclf.config.signature_check import check_component
from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat, Gated, Late, Normalise, Product, Sum
from mmclf.models.heads import make_head

Make = Callable[[Sequence[int], bool], nn.Module]
FUSIONS: dict[str, Make] = {
    "concat": Concat,
    "sum": lambda dims, normalise: Sum(dims, 4, normalise),
    "product": lambda dims, normalise: Product(dims, 4, normalise),
    "gated": lambda dims, normalise: Gated(dims, 4, normalise),
    "late": lambda dims, normalise: Late(dims, lambda width: nn.Linear(width, 4), normalise),
}
every_fusion = pytest.mark.parametrize("make", FUSIONS.values(), ids=FUSIONS)

# Two samples: a modality of width 2 and one of width 1.
PARTS = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0], [6.0]])]


def features(*dims: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(5, width, generator=generator) for width in dims]


def set_layer(layer: nn.Module, weight: list[list[float]], bias: list[float]) -> None:
    assert isinstance(layer, nn.Linear)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))


def set_projections(fusion: Sum | Product | Gated) -> None:
    """PARTS become (1, 2) and (5.5, -4.5), then (3, 4) and (6.5, -5.5)."""
    set_layer(fusion.projections[0], [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])
    set_layer(fusion.projections[1], [[1.0], [-1.0]], [0.5, 0.5])


def test_concatenated_modalities_stand_side_by_side_in_order() -> None:
    fusion = Concat([2, 1])
    assert fusion.out_dim == 3
    assert fusion(PARTS).tolist() == [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]
    assert fusion(PARTS[::-1]).tolist() == [[5.0, 1.0, 2.0], [6.0, 3.0, 4.0]]
    assert not fusion.state_dict()


def test_a_sum_by_hand() -> None:
    fusion = Sum([2, 1], dim=2)
    set_projections(fusion)
    assert fusion(PARTS).tolist() == [[6.5, -2.5], [9.5, -1.5]]


def test_a_product_by_hand() -> None:
    fusion = Product([2, 1], dim=2)
    set_projections(fusion)
    t = math.tanh
    expected = [[t(1) * t(5.5), t(2) * t(-4.5)], [t(3) * t(6.5), t(4) * t(-5.5)]]
    torch.testing.assert_close(fusion(PARTS), torch.tensor(expected))


def test_a_product_of_three() -> None:
    fusion, parts = Product([2, 1, 3], dim=4), features(2, 1, 3)
    one, two, three = [Product([x.shape[1]], dim=4) for x in parts]
    for alone, projection in zip((one, two, three), fusion.projections, strict=True):
        alone.projections[0].load_state_dict(projection.state_dict())
    expected = one(parts[:1]) * two(parts[1:2]) * three(parts[2:])
    torch.testing.assert_close(fusion(parts), expected)


def test_a_gate_by_hand() -> None:
    fusion = Gated([2, 1], dim=2)
    set_projections(fusion)
    set_layer(fusion.gates[0], [[0.0, 0.0, 0.0], [1.0, 1.0, -1.0]], [0.0, 1.0])
    t = math.tanh
    # The first unit's gate is always half open; the second's logit is x1 + x2 - x3 + 1.
    z = [1 / (1 + math.exp(1.0)), 1 / (1 + math.exp(-2.0))]
    expected = [
        [(t(1) + t(5.5)) / 2, z[0] * t(2) + (1 - z[0]) * t(-4.5)],
        [(t(3) + t(6.5)) / 2, z[1] * t(4) + (1 - z[1]) * t(-5.5)],
    ]
    torch.testing.assert_close(fusion(PARTS), torch.tensor(expected))


def test_the_gate_of_two_modalities_is_the_papers() -> None:
    """z = sigmoid(W [x_v, x_t]), h = z tanh(W_v x_v) + (1 - z) tanh(W_t x_t)."""
    fusion, (vision, text) = Gated([3, 2], dim=4), features(3, 2)
    (gate,), (of_vision, of_text) = fusion.gates, fusion.projections
    z = torch.sigmoid(gate(torch.cat([vision, text], dim=1)))
    expected = z * of_vision(vision).tanh() + (1 - z) * of_text(text).tanh()
    torch.testing.assert_close(fusion([vision, text]), expected)


def test_the_gates_of_three_modalities_share_out_each_unit() -> None:
    fusion, parts = Gated([3, 2, 1], dim=4), features(3, 2, 1)
    everything = torch.cat(parts, dim=1)
    open_ = [torch.exp(gate(everything)) for gate in fusion.gates]
    assert len(open_) == 2
    h = [layer(x).tanh() for layer, x in zip(fusion.projections, parts, strict=True)]
    expected = (open_[0] * h[0] + open_[1] * h[1] + h[2]) / (open_[0] + open_[1] + 1)
    torch.testing.assert_close(fusion(parts), expected)


def test_late_logits_by_hand() -> None:
    fusion = Late([2, 1], lambda width: nn.Linear(width, 2))
    set_layer(fusion.heads[0], [[1.0, 10.0], [0.0, 1.0]], [0.0, 0.5])
    set_layer(fusion.heads[1], [[100.0], [2.0]], [1.0, 0.0])
    assert fusion.out_dim is None
    # (1 + 20 + 500 + 1) / 2 and (2 + 0.5 + 10) / 2, and so on.
    assert fusion(PARTS).tolist() == [[261.0, 6.25], [322.0, 8.25]]


def test_late_is_the_average_of_classifiers_of_one_modality() -> None:
    def head(width: int) -> nn.Module:
        return make_head(width, labels=3, hidden=4, dropout=0.5)

    parts = features(3, 2)
    classifiers = [
        Classifier({"it": nn.Identity()}, Concat([part.shape[1]]), head(part.shape[1])).eval()
        for part in parts
    ]
    fusion = Late([3, 2], head).eval()
    for own, classifier in zip(fusion.heads, classifiers, strict=True):
        own.load_state_dict(classifier.head.state_dict())
    alone = [model({"it": part}) for model, part in zip(classifiers, parts, strict=True)]
    torch.testing.assert_close(fusion(parts), (alone[0] + alone[1]) / 2)


def test_one_modality() -> None:
    (part,) = features(3)
    assert torch.equal(Concat([3])([part]), part)
    for kind, function in ((Sum, torch.clone), (Product, torch.tanh), (Gated, torch.tanh)):
        fusion = kind([3], dim=4)
        (projection,) = fusion.projections
        assert torch.equal(fusion([part]), function(projection(part)))
    late = Late([3], lambda width: nn.Linear(width, 4))
    assert torch.equal(late([part]), late.heads[0](part))


@every_fusion
@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("dims", [[3], [3, 2], [2, 3, 5]])
def test_a_gradient_reaches_everything(make: Make, normalise: bool, dims: list[int]) -> None:
    fusion, parts = make(dims, normalise), [x.requires_grad_() for x in features(*dims)]
    fused = fusion(parts)
    assert fused.shape == (5, 4 if fusion.out_dim in (None, 4) else sum(dims))
    fused.square().sum().backward()
    tensors = [*fusion.parameters(), *([] if normalise else parts)]
    assert all(t.grad is not None and t.grad.abs().max() > 0 for t in tensors)


@every_fusion
def test_each_modality_has_its_place(make: Make) -> None:
    fusion, parts = make([2, 2], False), features(2, 2)
    assert not torch.allclose(fusion(parts), fusion(parts[::-1]))
    # A sample's features depend on no other sample.
    torch.testing.assert_close(fusion([x[:1] for x in parts]), fusion(parts)[:1])


@pytest.mark.parametrize("name", ["sum", "product", "gated", "late"])
def test_the_widths_are_those_of_the_order(name: str) -> None:
    fusion, parts = FUSIONS[name]([3, 2], False), features(3, 2)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fusion(parts[::-1])
    with pytest.raises(ValueError, match="shorter"):
        fusion(parts[:1])


def test_normalised_by_hand() -> None:
    # Mean 2 and variance 1, mean 4 and variance 4 up to the 1e-5 that keeps 0 from dividing.
    parts = [torch.tensor([[1.0, 3.0], [6.0, 2.0]]), torch.tensor([[7.0, 7.0, 7.0]])]
    pair, flat = Normalise(True)(parts)
    torch.testing.assert_close(pair, torch.tensor([[-1.0, 1.0], [1.0, -1.0]]), atol=1e-5, rtol=0)
    assert flat.tolist() == [[0.0, 0.0, 0.0]]
    assert all(x is y for x, y in zip(Normalise(False)(parts), parts, strict=True))


@every_fusion
def test_normalised_modalities_have_no_scale_and_no_new_parameters(make: Make) -> None:
    parts = features(3, 4)
    torch.manual_seed(1)
    plain = make([3, 4], False)
    torch.manual_seed(1)
    normalised = make([3, 4], True)
    # The same parameters from the same seed: only the normalisation differs.
    normalised.load_state_dict(plain.state_dict())
    as_given = [nn.functional.layer_norm(x, x.shape[1:]) for x in parts]
    torch.testing.assert_close(normalised(parts), plain(as_given))
    scaled = [100 * parts[0] + 7, parts[1]]
    torch.testing.assert_close(normalised(scaled), normalised(parts), atol=1e-3, rtol=1e-3)
    assert not torch.allclose(plain(scaled), plain(parts), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["Sum", "Product", "Gated"])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dim": 1, "normalise": True}, None),
        ({"dim": 0}, Naming("fusion.dim", "0", "1")),
        ({"dim": 0.5}, Naming("fusion.dim", "0.5", "whole number")),
        ({"normalise": 1}, Naming("fusion.normalise", "1", "true or false")),
        ({"dims": [2]}, Naming("fusion.dims")),
    ],
)
def test_settings_are_checked(name: str, settings: dict[str, object], words: Naming | None) -> None:
    node = {"_target_": f"mmclf.models.fusion.{name}"} | settings
    assert check_component(node, "fusion", "fusion", []) == ([] if words is None else [words])
