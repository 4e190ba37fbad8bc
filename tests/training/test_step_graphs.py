from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head
from mmclf.training.batches import FeatureInput, TrainingSet
from mmclf.training.device import accelerator_on
from mmclf.training.evaluate import NonFiniteLossError
from mmclf.training.learner import Learner
from mmclf.training.step_graphs import can_be_captured

GPU = torch.device("cuda")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
LOSS = nn.BCEWithLogitsLoss()
MakeOptimizer = Callable[[Any], torch.optim.Optimizer]


def classifier(fusion: nn.Module | None = None) -> Classifier:
    torch.manual_seed(0)
    head = make_head(7, 2, hidden=16, dropout=0.3)
    encoders = {"vision": nn.Identity(), "text": nn.Identity()}
    return Classifier(encoders, fusion if fusion is not None else Concat([4, 3]), head)


def examples(count: int = 83) -> TrainingSet:
    generator = torch.Generator().manual_seed(0)
    inputs = {
        "vision": FeatureInput(torch.randn(count, 2, 4, generator=generator).to(GPU)),
        "text": FeatureInput(torch.randn(count, 1, 3, generator=generator).to(GPU)),
    }
    labels = torch.randint(0, 2, (count, 2), generator=generator).float().to(GPU)
    return TrainingSet([f"{i}.jpg" for i in range(count)], inputs, labels)


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=0.02, fused=True)


def momentum(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.02, momentum=0.9, fused=True)


def trained(
    make: MakeOptimizer,
    *,
    graphs: bool,
    precision: str = "fp32",
    clip_norm: float | None = None,
    cosine: bool = False,
) -> tuple[dict[str, Tensor], int]:
    """The weights after six epochs, and how many graphs there are."""
    with accelerator_on(GPU, precision) as accelerator:
        model = classifier().to(GPU)
        optimizer = make(model.parameters())
        scheduler = CosineAnnealingLR(optimizer, 60) if cosine else None
        learner = Learner(
            *(model, LOSS, optimizer, scheduler, accelerator), batch_size=8, clip_norm=clip_norm
        )
        captured = learner._step_graphs
        assert captured is not None
        if not graphs:
            learner._step_graphs = None
        generator = torch.Generator().manual_seed(0)
        for number in range(1, 7):
            learner.epoch(examples(), generator, number)
        return {name: value.cpu() for name, value in learner.weights().items()}, len(
            captured._graphs
        )


@needs_gpu
@pytest.mark.parametrize("make", [adam, momentum])
@pytest.mark.parametrize("clip_norm", [None, 0.1])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_replayed_steps_train_the_same_weights(
    make: MakeOptimizer, clip_norm: float | None, precision: str
) -> None:
    plain, none = trained(make, graphs=False, clip_norm=clip_norm, precision=precision)
    weights, count = trained(make, graphs=True, clip_norm=clip_norm, precision=precision)
    assert (none, count) == (0, 2)  # of batches of 8, and of the last one of 3
    for name, value in plain.items():
        torch.testing.assert_close(weights[name], value)


@needs_gpu
def test_steps_of_a_changing_learning_rate_are_not_replayed() -> None:
    plain, _ = trained(adam, graphs=False, cosine=True)
    weights, count = trained(adam, graphs=True, cosine=True)
    assert count == 0
    for name, value in plain.items():
        torch.testing.assert_close(weights[name], value)


@needs_gpu
def test_a_loss_that_is_not_finite_names_its_sample_all_the_same() -> None:
    with accelerator_on(GPU) as accelerator:
        model, some = classifier().to(GPU), examples()
        learner = Learner(model, LOSS, adam(model.parameters()), None, accelerator, batch_size=8)
        generator = torch.Generator().manual_seed(0)
        learner.epoch(some, generator, 1)
        values = some.inputs["text"]
        assert isinstance(values, FeatureInput)
        values.values[17] = torch.nan
        with pytest.raises(NonFiniteLossError, match=r"epoch 2, .* 17\.jpg\."):
            learner.epoch(some, generator, 2)


class Counting(Concat):
    """A fusion of anybody's: what it does in Python a graph would not repeat."""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"device": torch.device("cpu")}, False),
        ({"scaler": object()}, False),
        ({"fused": False}, False),
        ({"make": torch.optim.Adagrad}, False),
        ({"fusion": Counting([4, 3])}, False),
        ({"loss": lambda logits, labels: logits.mean()}, False),
    ],
)
def test_what_can_be_captured(change: dict[str, Any], expected: bool) -> None:
    wanted = {"device": torch.device("cuda:0"), "scaler": None, "fused": True, **change}
    model = classifier(wanted.get("fusion"))
    optimizer = wanted.get("make", torch.optim.Adam)(model.parameters(), fused=wanted["fused"])
    accelerator: Any = SimpleNamespace(device=wanted["device"], scaler=wanted["scaler"])
    assert can_be_captured(model, wanted.get("loss", LOSS), optimizer, accelerator) is expected
