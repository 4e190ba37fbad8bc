"""What is kept of a fit, when, and what its time is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from message_facts import Naming
from small_training import classifier, learner

from mmclf.storage.store.checkpoints import Checkpoints
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.store import Store
from mmclf.training.checkpoint import Checkpoint, CheckpointSerializer
from mmclf.training.interruption import Interruption
from mmclf.training.keeper import FitKeeper
from mmclf.training.learner_state import LearnerState, beginning

STAGE = Stage("fit", 1, {})


def checkpoints(folder: Path) -> Checkpoints[Checkpoint]:
    return Checkpoints(Store(folder, "2 x CPU"), STAGE, CheckpointSerializer())


def keeper(folder: Path, every: int | None = 1, attempt_s: float = 10.0) -> FitKeeper:
    return FitKeeper(checkpoints(folder), every, Interruption({}), lambda: attempt_s)


def some_checkpoint() -> Checkpoint:
    state = learner(classifier()).state(beginning(torch.Generator().manual_seed(0)))
    return Checkpoint((), None, None, state)


@pytest.mark.parametrize(("every", "due"), [(1, [1, 2, 3, 4]), (2, [2, 4]), (3, [3]), (None, [])])
def test_one_is_due_after_every_interval(tmp_path: Path, every: int | None, due: list[int]) -> None:
    ours = keeper(tmp_path, every)
    assert [epoch for epoch in range(1, 5) if ours.is_due(epoch)] == due


def test_the_time_is_that_of_all_attempts_without_the_keeping(tmp_path: Path) -> None:
    first = keeper(tmp_path, attempt_s=10.0)
    assert (first.resumed, first.run, first.seconds) == (None, None, 10.0)
    first.keep(some_checkpoint())
    assert first.seconds < 10.0
    second = keeper(tmp_path, attempt_s=7.0)
    assert second.resumed is not None
    assert second.seconds == 17.0
    second.keep(some_checkpoint())
    third = keeper(tmp_path, attempt_s=0.0)
    assert third.seconds == 17.0
    third.refuse(RuntimeError("sizes"))
    assert (third.resumed, third.seconds) == (None, 0.0)


def test_a_state_that_cannot_be_kept_is_said_once_and_the_fit_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = some_checkpoint().learner
    odd = LearnerState({"scheduler": {"rule": print}}, whole.position, whole.random)
    ours = keeper(tmp_path)
    for _ in range(3):
        ours.keep(Checkpoint((), None, None, odd))
    (line,) = capsys.readouterr().err.splitlines()
    assert line == Naming("'scheduler'", "'rule'", "trainer.checkpoint_every=null")
    assert checkpoints(tmp_path).read() is None


def test_the_signal_that_waits_is_passed_on_after_the_writing(tmp_path: Path) -> None:
    found: list[object] = []

    def end(_number: int, _frame: object) -> None:
        found.append(checkpoints(tmp_path).read())
        raise KeyboardInterrupt

    interruption = Interruption({15: end})
    ours = FitKeeper(checkpoints(tmp_path), 1, interruption, lambda: 1.0)
    assert not ours.is_wanted
    interruption.hold(15, None)
    assert ours.is_wanted
    with pytest.raises(KeyboardInterrupt):
        ours.keep(some_checkpoint())
    assert found[0] is not None
    assert not ours.is_wanted
