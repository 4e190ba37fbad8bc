"""Small classifiers that one process trains, or several together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from small_raw_training import Reading, Seeing, raw_classifier, raw_examples
from small_training import classifier, examples, weights
from torch import Tensor, nn

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.classifier import Classifier
from mmclf.training.batches import TrainingSet
from mmclf.training.checkpoint import best_of
from mmclf.training.device import accelerator_on
from mmclf.training.distributed.strategies import Score, agreed_score, strategy_in
from mmclf.training.distributed.world import World
from mmclf.training.learner import Learner
from mmclf.training.strategy import Strategy
from mmclf.training.trainer import fit

CPU = torch.device("cpu")
Numbers = list[list[float]]


class Ranked(nn.Module):
    """A loss that is no mean over samples: that of the worst of a batch, and their spread."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        each = nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        found: Tensor = each.mean(1).max() + logits.std()
        return found


class WithUnused(nn.Module):
    """A frozen encoder's place, with a weight that the features do not hang on."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 2)

    def forward(self, features: Tensor) -> Tensor:
        return features


class Frozen(Seeing):
    """Its batch statistics are fixed, and it has no dropout."""

    def train(self, mode: bool = True) -> Frozen:
        del mode
        super().train(False)
        return self


class Padded(Reading):
    """Its captions are all padded to the same length, as their mean takes the padding in."""

    def tokenize(self, captions: Sequence[str]) -> Mapping[str, Tensor]:
        return super().tokenize([text.ljust(3) for text in captions])


def with_unused() -> Classifier:
    model = classifier()
    model.encoders["vision"] = WithUnused()
    return model


def raw() -> Classifier:
    """Trained encoders of pictures and captions, without what differs by the rows of a process."""
    torch.manual_seed(0)
    model = raw_classifier()
    torch.manual_seed(0)
    model.encoders["vision"], model.encoders["text"] = Frozen(), Padded()
    model.head = nn.Linear(7, 2)
    return model


def learner_of(
    model: nn.Module,
    some: TrainingSet,
    world: World | None,
    accelerator: Any,
    *,
    batch_size: int = 5,
    loss: nn.Module | None = None,
    **more: Any,
) -> Learner:
    strategy = Strategy if world is None else strategy_in(world, some.eval_batch(slice(2))[0])
    return Learner(
        model,
        loss if loss is not None else nn.BCEWithLogitsLoss(),
        torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02),
        None,
        accelerator,
        strategy_of=strategy,
        batch_size=batch_size,
        evaluation_size=4,
        **more,
    )


def loss_score(world: World | None) -> Score:
    """The less the loss, the better; in several processes that of the main one."""

    def score(outputs: SplitOutputs) -> float:
        return -outputs.loss

    return score if world is None else agreed_score(score, world)


def trained(
    world: World | None,
    make: Callable[[], Classifier],
    count: int = 13,
    precision: str = "fp32",
    **more: Any,
) -> Numbers:
    """The losses of two epochs, the logits after them, and the weights."""
    model = make()
    some = raw_examples(model, count) if make is raw else examples(count, views=3)
    with accelerator_on(CPU, precision, alone=world is None) as accelerator:
        learner = learner_of(model, some, world, accelerator, **more)
        done = fit(
            learner,
            some,
            some,
            epochs=2,
            patience=None,
            seed=0,
            score=loss_score(world),
            on_epoch=lambda _: None,
        )
    losses = [epoch.train.loss for epoch in done]
    return [losses, best_of(done).val.logits.ravel().tolist(), weights(model).tolist()]
