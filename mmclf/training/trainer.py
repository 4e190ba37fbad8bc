"""Fit: the one training loop of every run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.progress import progress_bar
from mmclf.training.batches import TrainingSet
from mmclf.training.checkpoint import Checkpoint, Epoch, Keeper, NotKept, best_of
from mmclf.training.learner import Learner
from mmclf.training.learner_state import Position, beginning

# What the parts of a state raise that is of another model, optimizer or scheduler.
UNFIT = (RuntimeError, ValueError, LookupError, TypeError, AttributeError)


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
    keeper: Keeper | None = None,
) -> tuple[Epoch, ...]:
    """Train the learner's model and leave it with the weights of its best epoch.

    `score` rates an epoch by its validation, the first of equals wins; after `patience` epochs
    without a better one it ends. `seed` decides the order of the samples and the views drawn.
    `on_epoch` is called with every epoch, also with those of an earlier attempt that `keeper` knows
    of. Raises NonFiniteLossError at the first step whose loss is not finite. Returns all epochs.
    """
    keeper = keeper if keeper is not None else NotKept()
    generator = torch.Generator().manual_seed(seed)
    resumed = _resumed(learner, keeper, is_refit=False)
    done: tuple[Epoch, ...] = () if resumed is None else resumed.epochs
    best: Mapping[str, Tensor] | None = None if resumed is None else resumed.best
    start = beginning(generator) if resumed is None else resumed.learner.position
    for epoch in done:
        on_epoch(epoch)
    with progress_bar("training, epochs", epochs, len(done)) as advance:
        while not _is_over(done, epochs, patience):
            watch = _Watch(learner, keeper, done, best)
            number = len(done) + 1
            end = learner.epoch(train, generator, number, start, watch)
            ask = partial(watch.ask, end)
            validated = learner.evaluate(val, ask)
            trained = learner.evaluate(train, ask)
            epoch = Epoch(number, trained, validated, score(validated))
            done = (*done, epoch)
            if best_of(done) is epoch:
                best = learner.weights()
            on_epoch(epoch)
            advance(1)
            start = beginning(generator)
            watch = _Watch(learner, keeper, done, best)
            if keeper.is_due(number):
                watch.reached(start)
            watch.ask(start)
    assert best is not None
    learner.restore(best)
    return done


def refit(
    learner: Learner,
    examples: TrainingSet,
    *,
    epochs: int,
    seed: int,
    before: Sequence[Epoch] = (),
    keeper: Keeper | None = None,
) -> None:
    """Train the learner's model for a number of epochs that is known, without validation.

    `seed` and `keeper` as in `fit`; `before`: the epochs of the fit. Raises NonFiniteLossError at
    the first step whose loss is not finite.
    """
    keeper = keeper if keeper is not None else NotKept()
    generator = torch.Generator().manual_seed(seed)
    resumed = _resumed(learner, keeper, is_refit=True)
    done = 0 if resumed is None or resumed.refitted is None else resumed.refitted
    start = beginning(generator) if resumed is None else resumed.learner.position
    with progress_bar("training on train and val, epochs", epochs, done) as advance:
        for number in range(done + 1, epochs + 1):
            watch = _Watch(learner, keeper, tuple(before), None, number - 1)
            learner.epoch(examples, generator, number, start, watch)
            advance(1)
            start = beginning(generator)
            watch = _Watch(learner, keeper, tuple(before), None, number)
            if keeper.is_due(number):
                watch.reached(start)
            watch.ask(start)


@dataclass(frozen=True)
class _Watch:
    """Has a checkpoint kept when it is wanted; the epochs, weights and count are those of it."""

    learner: Learner
    keeper: Keeper
    epochs: tuple[Epoch, ...]
    best: Mapping[str, Tensor] | None
    refitted: int | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether a checkpoint is wanted."""
        return self.keeper.is_wanted

    def reached(self, position: Position) -> None:
        """Have one kept at this position."""
        state = self.learner.state(position)
        self.keeper.keep(Checkpoint(self.epochs, self.best, self.refitted, state))

    def ask(self, position: Position) -> None:
        """Have one kept at this position if it is wanted."""
        if self.is_wanted:
            self.reached(position)


def _resumed(learner: Learner, keeper: Keeper, *, is_refit: bool) -> Checkpoint | None:
    """The checkpoint that the fit, or the refit, goes on from, its state given to the learner."""
    resumed = keeper.resumed
    if resumed is None or (resumed.refitted is not None) != is_refit:
        return None
    before = copy.deepcopy(learner.state(resumed.learner.position))
    try:
        learner.load(resumed.learner)
    except UNFIT as error:
        learner.load(before)
        keeper.refuse(error)
        return None
    return resumed


def _is_over(done: Sequence[Epoch], epochs: int, patience: int | None) -> bool:
    if not done or len(done) >= epochs or patience is None:
        return len(done) >= epochs
    return len(done) - best_of(done).number >= patience
