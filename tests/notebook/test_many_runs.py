"""A session in Python: runs, a sweep and a study, read back by their ids alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from message_facts import Naming

import mmclf
from mmclf.errors import InputError
from mmclf.notebook.runs_report import RunsReport
from mmclf.notebook.study_report import StudyReport

SMALL = (
    "vision=none text=tfidf device=cpu head.hidden=16 data.train=80 data.test=30 trainer.epochs=1"
)


def test_what_there_is_is_listed() -> None:
    public = [name for name in dir(mmclf) if not name.startswith("_")]
    assert public == sorted(mmclf.__all__)
    assert {"compose", "run", "sweep", "study", "report", "load", "compare"} < set(public)
    assert all(callable(getattr(mmclf, name)) for name in public)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: mmclf.compose(5), "overrides"),  # type: ignore[arg-type]
        (lambda: mmclf.compose(["seed=1", 2]), "overrides[1]"),  # type: ignore[list-item]
        (lambda: mmclf.compose("a='"), "overrides"),
        (lambda: mmclf.compose("study=loss"), "overrides"),
        (lambda: mmclf.run({"seed": 1}), "overrides"),  # type: ignore[arg-type]
        (lambda: mmclf.sweep("study=loss"), "overrides"),
        (lambda: mmclf.study("seed=1"), "overrides"),
        (lambda: mmclf.load(7), "run_id"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_argument_is_named(call: object, argument: str) -> None:
    assert callable(call)
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(f"{argument}: found")


def test_further_overrides_take_the_place_of_earlier_ones() -> None:
    config = mmclf.compose("loss=focal seed=1 trainer.epochs=3")
    other = config.with_overrides("seed=2", ["loss=bce", "head.dropout=0.1"])
    assert other.given == ("trainer.epochs=3", "seed=2", "loss=bce", "head.dropout=0.1")
    assert (other.config.seed, other.choices["loss"], other.config.trainer.epochs) == (2, "bce", 3)
    assert config.config.seed == 1
    assert repr(config) == Naming("loss=focal seed=1 trainer.epochs=3")
    with pytest.raises(InputError, match=Naming("'focla'", "'focal'").pattern):
        config.with_overrides("loss=focla")


@pytest.mark.slow
def test_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    base = f"{SMALL} output_dir={tmp_path / 'elsewhere'}"
    result = mmclf.run(base.split())
    assert repr(result) == Naming("Result", result.run_id, "30 test", "18 labels", "1 epochs")
    assert mmclf.load(result.run_id[:12]).run_id == result.run_id
    assert len(mmclf.load(result.run_id).predict(captions=["a dog"])) == 1
    sweep = mmclf.sweep(f"{base} loss=bce,focal")
    assert isinstance(sweep, RunsReport)
    assert list(sweep.table["status"]) == ["FINISHED"] * 2
    assert sweep.parent is not None
    again = mmclf.sweep(f"{base} loss=bce,focal")
    assert again.parent != sweep.parent
    assert sweep.plot_learning().axes[0].lines
    assert mmclf.load(sweep.run_ids[1]).run_id == sweep.run_ids[1]
    both = mmclf.report(runs=[result, *sweep.run_ids])
    assert both.run_ids == [result.run_id, *sweep.run_ids]
    compared = mmclf.report(compare=sweep.run_ids)
    assert isinstance(compared, StudyReport)


@pytest.mark.slow
def test_a_study_runs_what_it_lacks(tmp_path: Path) -> None:
    words = f"loss study.seeds=2 {SMALL} output_dir={tmp_path}"
    first, second = mmclf.study(words), mmclf.study(words)
    assert first.run_ids == second.run_ids
    assert len(first.run_ids) == 12
    assert mmclf.load(first.run_ids[3]).run_id == first.run_ids[3]
    assert first.plot_learning().axes[0].lines
