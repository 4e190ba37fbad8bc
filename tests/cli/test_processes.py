"""A command in several processes: one tracked run that all share, and one end of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from launched_commands import (
    SMALL,
    WITHOUT_DROPOUT,
    numbers_of,
    odd_loss,
    runs_in,
    torchrun,
    without_agent,
)
from message_facts import Naming

import mmclf
from mmclf.cli.main import main
from mmclf.storage.store.checkpoints import NAME

pytestmark = pytest.mark.slow


def features_in(folder: Path) -> dict[str, np.ndarray]:
    """The stored features of images by their key."""
    paths = (folder / "store" / "vision").glob("*/values.npy")
    return {path.parent.name: np.load(path) for path in paths}


def test_a_run_is_shared_and_what_one_process_computes(tmp_path: Path) -> None:
    words = (*SMALL, *WITHOUT_DROPOUT, "at_test.text=dropped")
    alone = mmclf.run([*words, f"output_dir={tmp_path / 'alone'}"])
    shared = tmp_path / "shared"
    done = torchrun(shared, *words)
    assert done.status == 0, done.errors
    (run,) = runs_in(shared)
    assert (run.status, run.tags["mmclf.processes"]) == ("FINISHED", "2")
    (expected,) = runs_in(tmp_path / "alone")
    assert "mmclf.processes" not in expected.tags
    numbers, others = numbers_of(run), numbers_of(expected)
    assert numbers.keys() == others.keys()
    for name, value in numbers.items():
        if "loss" in name:
            assert value == pytest.approx(others[name], abs=1e-5)
    features, of_one = features_in(shared), features_in(tmp_path / "alone")
    assert len(of_one) == 2
    assert features.keys() == of_one.keys()
    assert all(np.array_equal(features[key], of_one[key], equal_nan=True) for key in of_one)
    assert alone.run_id == expected.id
    # Of what is stored the main process alone has something to do.
    again = torchrun(shared, *words)
    assert again.status == 0, again.errors
    first, second = reversed(runs_in(shared))
    assert (second.status, numbers_of(second)) == ("FINISHED", numbers_of(first))
    assert len([*(shared / "store" / "fit").glob("*/fit.json")]) == 1


def test_an_error_of_one_process_ends_all(tmp_path: Path) -> None:
    main_one, other = without_agent(tmp_path, *SMALL, *odd_loss(tmp_path, "fail"))
    assert (main_one.status, other.status) == (1, 1)
    last = main_one.errors.splitlines()[-1]
    assert Naming("mmclf: process 1", "RuntimeError: odd") == last
    assert other.errors == ""
    (run,) = runs_in(tmp_path)
    assert run.status == "FAILED"
    assert Naming("process 1", "RuntimeError: odd") == run.tags["mmclf.error"]


@pytest.mark.soak  # as the next but one, which torchrun starts
def test_a_killed_process_ends_all(tmp_path: Path) -> None:
    main_one, other = without_agent(tmp_path, *SMALL, *odd_loss(tmp_path, "kill"))
    assert (main_one.status, other.status) == (1, -9)
    assert Naming("mmclf: process 1") == main_one.errors.splitlines()[-1]
    (run,) = runs_in(tmp_path)
    assert run.status == "FAILED"


@pytest.mark.parametrize(
    ("what", "status"), [pytest.param("fail", 1, marks=pytest.mark.soak), ("kill", -9)]
)
def test_all_end_with_the_main_process(tmp_path: Path, what: str, status: int) -> None:
    main_one, other = without_agent(tmp_path, *SMALL, *odd_loss(tmp_path, what, rank=0))
    assert (main_one.status, other.status) == (status, 1)


def test_torchrun_does_not_cut_short_what_is_said_of_a_process_that_has_gone(
    tmp_path: Path,
) -> None:
    done = torchrun(tmp_path, *SMALL, *odd_loss(tmp_path, "kill"))
    assert done.status == 1
    (run,) = runs_in(tmp_path)
    assert run.status == "FAILED"
    assert Naming("process 1") == run.tags["mmclf.error"]


def test_a_signal_to_one_process_ends_all_at_a_step_that_the_next_command_goes_on_from(
    tmp_path: Path,
) -> None:
    words = (*SMALL, *odd_loss(tmp_path, "end"))
    main_one, other = without_agent(tmp_path, *words)
    assert (main_one.status, other.status) == (130, 130)
    (killed,) = runs_in(tmp_path)
    assert killed.status == "KILLED"
    assert len([*(tmp_path / "store" / NAME).iterdir()]) == 1
    for ended in without_agent(tmp_path, *words, "loss.step=-1"):  # which is another fit
        assert ended.status == 0, ended.errors
    whole = runs_in(tmp_path)[0]
    for ended in without_agent(tmp_path, *words):
        assert ended.status == 0, ended.errors
    finished = runs_in(tmp_path)[0]
    assert finished.tags["mmclf.resumed_from"] == killed.id
    assert numbers_of(finished) == numbers_of(whole)
    assert not [*(tmp_path / "store" / NAME).iterdir()]


def test_the_runs_of_a_study_are_shared_one_by_one(tmp_path: Path) -> None:
    study = ("study=loss", "study.seeds=1", "vision=none", "text=tfidf", "device=cpu")
    small = ("data.train=60", "data.test=20", "trainer.epochs=2", "head.hidden=16")
    for ended in without_agent(tmp_path, *study, *small):
        assert ended.status == 0, ended.errors
    parent, *_ = [run for run in runs_in(tmp_path) if run.parent is None]
    runs = [run for run in runs_in(tmp_path) if run.parent == parent.id]
    assert len(runs) >= 4
    assert {(run.status, run.tags["mmclf.processes"]) for run in runs} == {("FINISHED", "2")}
    assert (tmp_path / "studies" / "loss" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("trainer.batch_size=2",), ("trainer.batch_size=2", "3")),
        pytest.param(
            ("-m", "seed=0,1", "hydra/launcher=joblib"),
            ("launcher", "3"),
            marks=pytest.mark.soak,
        ),
        pytest.param(("trainer.epochs=-1",), ("trainer.epochs", "-1"), marks=pytest.mark.soak),
    ],
)
def test_bad_input_is_said_once(
    tmp_path: Path, words: tuple[str, ...], named: tuple[str, ...]
) -> None:
    main_one, *others = without_agent(tmp_path, "data.train=60", *words, count=3)
    assert main_one.status == 2
    assert Naming(*named) == main_one.errors
    assert [(other.status, other.errors) for other in others] == [(2, "")] * 2
    assert not (tmp_path / "mlflow.db").exists() or runs_in(tmp_path) == []


def test_a_command_that_computes_nothing_needs_the_main_process_alone() -> None:
    main_one, other = without_agent(None, "show", "loss")
    assert (main_one.status, other.status) == (0, 0)
    assert "weighted_bce" in main_one.output
    assert (other.output, other.errors) == ("", "")


def test_a_launcher_that_does_not_say_which_process_this_is_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RANK", raising=False)
    assert main(["show"]) == 2
    assert Naming("RANK", "WORLD_SIZE") == capsys.readouterr().err
