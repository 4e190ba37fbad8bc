"""The lines of a sweep: each run once, whichever process it was in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from message_facts import Naming

from mmclf.cli.run_names import RunNames
from mmclf.cli.sweep_lines import SweepLines
from mmclf.storage.tracking import TrackedRun

METRICS = {"test/f1_samples": 0.8612, "time/wall_s": 12.3}


def run(
    number: int,
    status: str = "FINISHED",
    metrics: Mapping[str, float] = METRICS,
    **tags: str,
) -> TrackedRun:
    """A tracked run of loss=focal."""
    params = {"loss": "focal", "seed": str(number), "vision": "none"}
    own = {"mmclf.seed": str(number), "mmclf.arm": "loss=focal,vision=none"}
    named = {f"mmclf.{key}": value for key, value in tags.items()}
    return TrackedRun(f"id{number}", "", status, 0, "parent", own | named, params, metrics)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines since the last call."""
    return capsys.readouterr().err.splitlines()


def test_a_finished_run_is_a_line_in_points_with_the_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = SweepLines(14, len("loss=asymmetric seed=1"))
    lines.finished("loss=focal seed=1", "a", METRICS)
    (line,) = told(capsys)
    name = "loss=focal seed=1     "
    assert re.fullmatch(rf" 1 of 14  {name}  F1 86\.12 +12 s  left \d+ s", line)


def test_a_run_is_told_once_and_the_last_one_leaves_no_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = SweepLines(2, 4)
    lines.finished("one", "id1", METRICS)
    lines.of_tracked(run(1), "one")
    lines.of_tracked(run(2), "two")
    assert [line[:6] for line in told(capsys)] == ["1 of 2", "2 of 2"]
    assert lines.state() == "2 of 2 runs done"


def test_what_goes_on_is_not_told_and_what_failed_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = SweepLines(3, 4)
    lines.of_tracked(run(1, "RUNNING"), "one")
    lines.of_tracked(run(2, "FAILED", {}, error="InputError: \x1b[31mno"), "two")
    lines.of_tracked(run(3, "KILLED", {}), "three")
    failed, killed = told(capsys)
    assert failed == Naming("1 of 3", "two", "failed", "InputError")
    assert "\x1b" not in failed
    assert killed == Naming("2 of 3", "three", "killed")


def test_where_all_runs_are_watched_a_failure_here_is_told_by_its_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = SweepLines(2, 4)
    lines.failed("one")
    assert told(capsys) == [Naming("1 of 2", "one", "failed")]
    lines.is_watched = True
    lines.failed("two")
    assert told(capsys) == []


def test_from_the_third_run_on_the_first_which_computes_what_all_share_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 100.0, 105.0, 110.0, 115.0])
    # Of this module alone, as other threads may ask the process's clock.
    own = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr("mmclf.cli.sweep_lines.time", own)
    lines = SweepLines(4, 4)
    for number in range(4):
        lines.of_tracked(run(number), "one")
    left = [line.partition("left ")[2] for line in told(capsys)]
    assert left == ["5 min", "105 s", "5 s", ""]


def test_more_runs_than_expected_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    lines = SweepLines(1, 4)
    for number in range(2):
        lines.of_tracked(run(number), "one")
    assert [line[:6] for line in told(capsys)] == ["1 of 1", "2 of 2"]


def test_runs_are_called_by_what_is_varied() -> None:
    names = RunNames(("loss", "seed"))
    overrides = ["+loss=focal", "seed=3", "trainer.epochs=5"]
    assert names.of_job(overrides, None, 3) == "loss=focal seed=3"
    assert names.of_run(run(3)) == "loss=focal seed=3"
    assert names.arm_of_run(run(3)) == "loss=focal"


def test_runs_of_one_arm_are_called_by_their_seed() -> None:
    names = RunNames(("seed",))
    assert names.of_job(["seed=3"], None, 3) == names.of_run(run(3)) == "seed=3"
    assert names.arm_of_run(run(3)) == ""
    assert RunNames().of_job([], None, 0) == "seed=0"


def test_runs_of_a_study_are_called_by_arm_and_seed() -> None:
    names = RunNames(in_study=True)
    assert names.of_job(["loss=focal"], "focal", 2) == "focal seed=2"
    assert names.of_run(run(2, arm="focal")) == "focal seed=2"
