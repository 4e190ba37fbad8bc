"""Fit: the one training loop of every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.progress import progress_bar
from mmclf.training.batches import TrainingSet
from mmclf.training.learner import Learner


@dataclass(frozen=True)
class Epoch:
    """The outputs after epoch `number`, from 1; `score` is higher where the epoch is better."""

    number: int
    train: SplitOutputs
    val: SplitOutputs
    score: float


def fit(
    learner: Learner,
    train: TrainingSet,
    val: TrainingSet,
    *,
    epochs: int,
    patience: int | None,
    seed: int,
    score: Callable[[SplitOutputs], float],
    on_epoch: Callable[[Epoch], None],
) -> tuple[list[Epoch], Epoch]:
    """Train the learner's model and leave it with the weights of its best epoch.

    `score` rates an epoch by its validation, the first of equals wins; after `patience` epochs
    without a better one it ends. `seed` decides the order of the samples and the views drawn.
    `on_epoch` is called with every epoch. Raises NonFiniteLossError at the first step whose loss is
    not finite.

    Returns:
        All epochs, and the best of them.

    """
    generator = torch.Generator().manual_seed(seed)
    done: list[Epoch] = []
    best: tuple[Epoch, dict[str, Tensor]] | None = None
    with progress_bar("training, epochs", epochs) as advance:
        for number in range(1, epochs + 1):
            learner.epoch(train, generator, number)
            validated = learner.evaluate(val)
            epoch = Epoch(number, learner.evaluate(train), validated, score(validated))
            done.append(epoch)
            if best is None or epoch.score > best[0].score:
                best = epoch, learner.weights()
            on_epoch(epoch)
            advance(1)
            if patience is not None and number - best[0].number >= patience:
                break
    assert best is not None
    learner.restore(best[1])
    return done, best[0]


def refit(learner: Learner, examples: TrainingSet, *, epochs: int, seed: int) -> None:
    """Train the learner's model for a number of epochs that is known, without validation.

    `seed` as in `fit`. Raises NonFiniteLossError at the first step whose loss is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    with progress_bar("training on train and val, epochs", epochs) as advance:
        for number in range(1, epochs + 1):
            learner.epoch(examples, generator, number)
            advance(1)
