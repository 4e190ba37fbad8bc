"""A run that is told to end within its fit: the same command goes on there."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from damage import flip
from message_facts import Naming

import mmclf
from mmclf.pipeline.result import Result
from mmclf.storage.store.checkpoints import NAME
from mmclf.storage.store.entry import open_entry
from mmclf.storage.tracking import Tracker
from mmclf.training.learner import Learner

SMALL = (
    *("data.train=60", "data.test=20", "trainer.epochs=3", "trainer.batch_size=16", "device=cpu"),
    *("vision=none", "text=bert", "text.weights=random", "text.trainable=true"),
    *("+text.architecture.hidden_size=16", "+text.architecture.num_hidden_layers=1"),
    *("+text.architecture.num_attention_heads=2", "+text.architecture.intermediate_size=16"),
)


def run(folder: Path, *more: str) -> Result:
    return mmclf.run(mmclf.compose([*SMALL, *more, f"output_dir={folder}"]))


def run_until(
    monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals, folder: Path, *more: str
) -> None:
    """Run until it is told to end in a step."""
    update, made = Learner._update, []

    def counted(self: Learner) -> None:
        update(self)
        made.append(1)
        if len(made) == step:
            signal.raise_signal(number)

    with monkeypatch.context() as patched:
        patched.setattr(Learner, "_update", counted)
        with pytest.raises(KeyboardInterrupt):
            run(folder, *more)


def checkpoints(folder: Path) -> list[Path]:
    return [*(folder / "store" / NAME).glob("*")]


def tracker_of(folder: Path) -> Tracker:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


def curve(folder: Path, run_id: str) -> list[tuple[int, float]]:
    logged = tracker_of(folder).client.get_metric_history(run_id, "epoch/val/loss")
    return [(point.step, point.value) for point in logged]


def check_equal(result: Result, expected: Result) -> None:
    numbers = [
        {k: v for k, v in one.metrics.items() if not k.startswith(("time/", "speed/", "cost/"))}
        for one in (result, expected)
    ]
    assert numbers[0] == numbers[1]
    assert result.history == expected.history
    assert all(np.array_equal(result.logits[part], expected.logits[part]) for part in result.logits)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What a run comes to that nobody ends."""
    return run(tmp_path_factory.mktemp("whole"))


def test_the_same_command_goes_on_where_a_run_was_told_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Result
) -> None:
    run_until(monkeypatch, 6, signal.SIGTERM, tmp_path)  # of 4 in an epoch
    (folder,) = checkpoints(tmp_path)
    kept = open_entry(folder).timing
    (killed,) = tracker_of(tmp_path).runs()
    assert (killed.status, kept.run) == ("KILLED", killed.id)
    steps: list[int] = []
    train = Learner.epoch

    def epoch(self: Learner, *given: object) -> object:
        steps.append(given[3].steps)  # type: ignore[attr-defined]
        return train(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Learner, "epoch", epoch)
    result = run(tmp_path)
    assert steps == [2, 0]  # the second epoch from its third step on, and the third
    check_equal(result, whole)
    finished, again = tracker_of(tmp_path).runs()
    assert [finished.status, again.status] == ["FINISHED", "KILLED"]
    assert finished.tags["mmclf.resumed_from"] == killed.id
    assert [step for step, _ in curve(tmp_path, killed.id)] == [1]
    assert [step for step, _ in curve(tmp_path, finished.id)] == [1, 2, 3]
    assert result.metrics["time/fit_s"] > kept.seconds > 0
    assert checkpoints(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
@pytest.mark.parametrize(("step", "more"), [(1, ()), (9, ()), (15, ("trainer.refit=true",))])
def test_it_goes_on_from_any_step_and_setting_of_the_interval(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    more: tuple[str, ...],
    number: signal.Signals,
) -> None:
    whole = run(tmp_path / "whole", *more)
    run_until(monkeypatch, step, number, tmp_path, *more, "trainer.checkpoint_every=3")
    assert len(checkpoints(tmp_path)) == 1
    # How often is no part of the fit's key.
    check_equal(run(tmp_path, *more, "trainer.checkpoint_every=null"), whole)
    assert checkpoints(tmp_path) == []


@pytest.mark.slow
def test_a_damaged_checkpoint_is_said_and_the_fit_begins_anew(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    whole: Result,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run_until(monkeypatch, 6, signal.SIGTERM, tmp_path)
    (folder,) = checkpoints(tmp_path)
    flip(folder / "state.safetensors")
    capfd.readouterr()
    result = run(tmp_path)
    messages = [line for line in capfd.readouterr().err.splitlines() if "checkpoint" in line]
    assert messages == [Naming(folder / "state.safetensors", "fit")]
    check_equal(result, whole)
    assert checkpoints(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["cache=off", "trainer.checkpoint_every=null"])
def test_none_is_kept_where_none_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    # Nothing waits for a step then; who handles the signal decides.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_until(monkeypatch, 6, signal.SIGTERM, tmp_path, setting)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert checkpoints(tmp_path) == []
    (killed,) = tracker_of(tmp_path).runs()
    assert killed.status == "KILLED"


@pytest.mark.slow
def test_a_checkpoint_that_a_kill_left_beside_a_stored_fit_goes_with_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("mmclf.pipeline.run.drop_checkpoints", lambda *_: None)
        run(tmp_path)
    assert len(checkpoints(tmp_path)) == 1
    run(tmp_path)
    assert checkpoints(tmp_path) == []
