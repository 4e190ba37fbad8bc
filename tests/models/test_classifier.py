from __future__ import annotations

import pytest
import torch
from torch import nn

from mmclf.models.classifier import Classifier, Several, encoded
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return self.factor * value


def test_logits_by_hand() -> None:
    head = nn.Linear(3, 2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, 10.0, 100.0], [0.0, 0.0, 1.0]]))
        head.bias.copy_(torch.tensor([0.5, 0.0]))
    encoders = {"vision": Times(2), "text": nn.Identity()}
    model = Classifier(encoders, Concat([2, 1]), head)
    # By the order of the encoders, not of the inputs: 2 * 1 + 10 * 2 * 2 + 100 * 3 + 0.5.
    inputs = {"text": torch.tensor([[3.0]]), "vision": torch.tensor([[1.0, 2.0]])}
    assert model(inputs).tolist() == [[342.5, 3.0]]


def test_a_modality_without_encoder_is_not_read() -> None:
    model = Classifier({"text": nn.Identity()}, Concat([1]), nn.Identity())
    assert model({"vision": "unread", "text": torch.ones(1, 1)}).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("hidden", "kinds"),
    [
        (None, [nn.Dropout, nn.Linear]),
        (5, [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]),
    ],
)
def test_the_layers_of_a_head(hidden: int | None, kinds: list[type]) -> None:
    head = make_head(3, 2, hidden, 0.25)
    assert [type(layer) for layer in head] == kinds
    assert [layer.p for layer in head if isinstance(layer, nn.Dropout)] == [0.25]
    assert head(torch.ones(4, 3)).shape == (4, 2)
    widths = [(x.in_features, x.out_features) for x in head if isinstance(x, nn.Linear)]
    assert widths == ([(3, 2)] if hidden is None else [(3, 5), (5, 2)])


def test_features_of_several_inputs_are_their_mean() -> None:
    texts = torch.tensor([[1.0], [2.0], [6.0], [5.0]])
    features = encoded(Times(2), Several(texts, torch.tensor([3, 1])))
    assert features.tolist() == [[6.0], [10.0]]
    assert torch.equal(encoded(Times(2), texts), 2 * texts)
