"""A study that is run again: what is missing is done, what failed is tried again, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from message_facts import Naming
from small_studies import (
    SMALL,
    children,
    losses,
    own_study,
    parent_of,
    places,
    tracker,
    without_its_page,
)

from mmclf.cli.main import main

pytestmark = pytest.mark.slow
no_page = pytest.fixture(autouse=True)(without_its_page)

RATES = (
    "study:\n  question: Which rate?\n  design: grid\n"
    "  factors: {optimizer.lr: [0.001, 1.0e+20]}\n  seeds: 2\n"
)


def test_more_seeds_add_the_runs_that_are_missing(tmp_path: Path) -> None:
    command = losses(tmp_path)
    assert main(command) == 0
    before = {run.id for run in children(tmp_path)}
    assert main([*command, "study.seeds=[3,1]"]) == 0
    runs = children(tmp_path)
    assert places(runs) == [("bce", "1"), ("bce", "3"), ("focal", "1"), ("focal", "3")]
    assert before < {run.id for run in runs}


def test_a_failed_arm_stops_nothing_and_is_shown_and_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = own_study(tmp_path, RATES)
    command = ["--config-dir", str(conf), "study=mine", *SMALL, f"output_dir={tmp_path}"]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert printed.err.count("NonFiniteLossError") == 2
    assert printed.out == Naming("2 of 4 runs")
    assert printed.out == Naming("0 finished", "2 failed", "seed 0, 1")
    assert "not compared" in printed.out
    runs = children(tmp_path)
    assert places(runs) == [("0.001", "0"), ("0.001", "1")]
    assert places(runs, "FAILED") == [("1e+20", "0"), ("1e+20", "1")]
    assert parent_of(tmp_path).status == "FAILED"
    done = {run.id for run in runs if run.status == "FINISHED"}
    assert main(command) == 1
    again = children(tmp_path)
    assert {run.id for run in again if run.status == "FINISHED"} == done
    assert len(again) == 6


def test_a_run_whose_artifacts_are_lost_is_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = losses(tmp_path)
    assert main(command) == 0
    lost = next(run.id for run in children(tmp_path) if run.tags["mmclf.arm"] == "focal")
    (tmp_path / "artifacts" / lost / "artifacts" / "predictions" / "test.npz").unlink()
    assert main(command) == 1
    assert "1 failed (seed 3)" in capsys.readouterr().out
    before = {run.id for run in children(tmp_path)}
    assert main(command) == 0
    after = {run.id: run for run in children(tmp_path)}
    assert after[lost].status == "FAILED"
    assert "test.npz" in after[lost].tags["mmclf.error"]
    (new,) = after.keys() - before
    assert (after[new].tags["mmclf.arm"], after[new].status) == ("focal", "FINISHED")


def test_other_settings_are_another_study_and_the_report_is_of_the_one_that_was_run_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = losses(tmp_path)
    first, other = command, [*command, "trainer.epochs=1"]
    for one in (first, other, first):
        assert main(one) == 0
    ids = [line for line in capsys.readouterr().out.splitlines() if line.startswith("study_id")]
    assert ids[0] == ids[2] != ids[1]
    assert len([run for run in tracker(tmp_path).runs() if run.parent is None]) == 2
    assert main(["report", "mine", "--format", "html", f"output_dir={tmp_path}"]) == 0
    page = capsys.readouterr().out
    assert "trainer.epochs=2" in page
    assert "trainer.epochs=1" not in page
