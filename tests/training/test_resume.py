"""A fit that ends at any point goes on from its checkpoint as if it had not, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from small_raw_training import raw_classifier, raw_examples
from small_training import classifier, examples, learner
from torch import Tensor

from mmclf.models.classifier import Classifier
from mmclf.storage.store.checkpoints import Checkpoints
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.store import Store
from mmclf.training.batches import TrainingSet
from mmclf.training.checkpoint import Checkpoint, CheckpointSerializer, Epoch, NotKept, best_of
from mmclf.training.learner import Learner
from mmclf.training.learner_state import Position, beginning
from mmclf.training.trainer import fit, refit

STAGE = Stage("fit", 1, {})
EPOCHS, REFIT, BATCH, SEED = 2, 1, 6, 4


class EndedError(Exception):
    """The process was told to end, and has kept a checkpoint."""


class EndingKeeper(NotKept):
    """Ends the fit at the so many-th time that it is asked, or never, and counts."""

    def __init__(self, checkpoints: Checkpoints[Checkpoint], at: int | None = None) -> None:
        self.checkpoints, self.at, self.asked = checkpoints, at, 0
        found = checkpoints.read()
        self.resumed = found[0] if found is not None else None

    @property
    def is_wanted(self) -> bool:  # type: ignore[override]
        self.asked += 1
        return self.at is not None and self.asked >= self.at

    def keep(self, checkpoint: Checkpoint) -> None:
        self.checkpoints.write(checkpoint, 0.0)
        raise EndedError


class Outcome(NamedTuple):
    """What a fit and its refit come to."""

    epochs: Sequence[Epoch]
    told: Sequence[int]
    fitted: dict[str, Tensor] | None
    refitted: dict[str, Tensor]
    random: Tensor

    def check_equal(self, other: Outcome) -> None:
        """The same to the bit; a fit that ended in its refit leaves no fitted weights."""
        assert self.told == other.told
        for mine, its in zip(self.epochs, other.epochs, strict=True):
            assert (mine.number, mine.score) == (its.number, its.score)
            for part in ("train", "val"):
                found, expected = getattr(mine, part), getattr(its, part)
                assert found.loss == expected.loss
                assert np.array_equal(found.logits, expected.logits)
        for mine_of, its_of in ((self.fitted, other.fitted), (self.refitted, other.refitted)):
            if mine_of is not None and its_of is not None:
                assert mine_of.keys() == its_of.keys()
                assert all(torch.equal(mine_of[name], its_of[name]) for name in mine_of)
        assert torch.equal(self.random, other.random)


def features() -> tuple[Classifier, TrainingSet]:
    return classifier(dropout=0.3), examples(views=3)


def raw() -> tuple[Classifier, TrainingSet]:
    model = raw_classifier()
    return model, raw_examples(model)


def new_learner(model: Classifier, accumulate: int, check_every: int | None) -> Learner:
    adam = torch.optim.AdamW(model.parameters(), lr=0.02, fused=True)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, max_lr=0.05, total_steps=20)
    return learner(model, BATCH, adam, rate, accumulate=accumulate, check_every=check_every)


def attempt(
    made: Callable[[], tuple[Classifier, TrainingSet]],
    keeper: EndingKeeper,
    accumulate: int,
    check_every: int | None,
) -> Outcome:
    """As `mmclf.training.fit.fit_model` calls them."""
    told: list[int] = []
    model, train = made()
    torch.manual_seed(9)
    epochs: tuple[Epoch, ...] = ()
    fitted: dict[str, Tensor] | None = None
    if keeper.resumed is None or keeper.resumed.refitted is None:
        epochs = fit(
            new_learner(model, accumulate, check_every),
            train,
            train,
            epochs=EPOCHS,
            patience=None,
            seed=SEED,
            score=lambda one: one.loss,  # the first epoch is the best
            on_epoch=lambda epoch: told.append(epoch.number),
            keeper=keeper,
        )
        fitted = {name: value.clone() for name, value in model.state_dict().items()}
    else:
        epochs = keeper.resumed.epochs
        told += [epoch.number for epoch in epochs]
    model, train = made()
    torch.manual_seed(9)
    again = new_learner(model, accumulate, check_every)
    refit(again, train, epochs=REFIT, seed=SEED, before=epochs, keeper=keeper)
    return Outcome(epochs, told, fitted, model.state_dict(), torch.get_rng_state())


@pytest.mark.parametrize(
    ("made", "accumulate", "check_every"),
    [
        (raw, 1, None),
        pytest.param(raw, 2, None, marks=pytest.mark.slow),
        pytest.param(raw, 1, 100, marks=pytest.mark.slow),
        pytest.param(features, 1, None, marks=pytest.mark.slow),
        pytest.param(features, 2, 3, marks=pytest.mark.slow),
    ],
)
def test_a_fit_that_ends_anywhere_goes_on_to_the_same_bits(
    tmp_path: Path,
    made: Callable[[], tuple[Classifier, TrainingSet]],
    accumulate: int,
    check_every: int | None,
) -> None:
    checkpoints = Checkpoints(Store(tmp_path, "2 x CPU"), STAGE, CheckpointSerializer())
    keeper = EndingKeeper(checkpoints)
    whole = attempt(made, keeper, accumulate, check_every)
    assert whole.told == [1, 2]
    steps = -(-12 // (BATCH * accumulate))
    # At each step, after each evaluated part, after each epoch, and at each step of the refit.
    assert keeper.asked == EPOCHS * (steps + 2 + 1) + REFIT * (steps + 1)
    for at in range(1, keeper.asked + 1):
        with pytest.raises(EndedError):
            attempt(made, EndingKeeper(checkpoints, at), accumulate, check_every)
        resumed = EndingKeeper(checkpoints)
        assert resumed.resumed is not None
        attempt(made, resumed, accumulate, check_every).check_equal(whole)
        checkpoints.drop()


def test_a_fit_that_ends_again_and_again_gets_there_too(tmp_path: Path) -> None:
    checkpoints = Checkpoints(Store(tmp_path, "2 x CPU"), STAGE, CheckpointSerializer())
    whole = attempt(raw, EndingKeeper(checkpoints), 1, None)
    ends = 0
    while True:
        try:
            # An evaluation that ends is begun again: each attempt must get beyond both.
            last = attempt(raw, EndingKeeper(checkpoints, 4), 1, None)
        except EndedError:
            ends += 1
        else:
            break
    last.check_equal(whole)
    assert ends > 2


def test_a_fit_that_stopped_early_stays_so(tmp_path: Path) -> None:
    checkpoints = Checkpoints(Store(tmp_path, "2 x CPU"), STAGE, CheckpointSerializer())
    scores = {1: 3.0, 2: 1.0, 3: 2.0}

    def run(keeper: EndingKeeper) -> tuple[Epoch, ...]:
        model, train = features()
        remaining = iter([*scores.values()][len(keeper.resumed.epochs if keeper.resumed else ()) :])
        return fit(
            new_learner(model, 1, None),
            train,
            train,
            epochs=9,
            patience=2,
            seed=SEED,
            score=lambda _: next(remaining),
            on_epoch=lambda _: None,
            keeper=keeper,
        )

    counting = EndingKeeper(checkpoints)
    whole = run(counting)
    assert (len(whole), best_of(whole).number) == (3, 1)
    with pytest.raises(EndedError):
        run(EndingKeeper(checkpoints, counting.asked))
    after = run(EndingKeeper(checkpoints))
    assert [(epoch.number, epoch.score) for epoch in after] == [*scores.items()]


def test_a_checkpoint_of_another_model_is_refused_and_nothing_of_it_is_left() -> None:
    model, train = features()
    other, _ = raw()
    refused: list[Exception] = []

    class Refusing(NotKept):
        resumed = Checkpoint((), None, None, new_learner(other, 1, None).state(_somewhere()))

        def refuse(self, error: Exception) -> None:
            refused.append(error)

    results = []
    for keeper in (NotKept(), Refusing()):
        model, train = features()
        torch.manual_seed(9)
        fit(
            new_learner(model, 1, None),
            train,
            train,
            epochs=2,
            patience=None,
            seed=SEED,
            score=lambda one: -one.loss,
            on_epoch=lambda _: None,
            keeper=keeper,
        )
        results.append(model.state_dict())
    assert len(refused) == 1
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def _somewhere() -> Position:
    return beginning(torch.Generator().manual_seed(3))
