"""A study's result out of its tracked runs: which runs count, arms and their differences, notes."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from three_arms import definition, start, track

from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker, local_files
from mmclf.storage.tracking import artifacts as artifacts_module
from mmclf.storage.tracking import search as search_module
from mmclf.studies.report.result import read_scores
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.tables.study_tables import arms_table, runs_table, verdict

pytest_plugins = ["tracker_fixture"]


def test_scores_and_differences_are_those_of_the_tracked_runs(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1, 2)))
    for seed in (0, 1, 2):
        for arm, wrong in (("a", 0.2), ("b", 0.02), ("c", 0.2)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    result = collect(tracker, parent)
    a, b, c = result.arms
    assert result.baseline is a
    assert result.best is b
    assert [len(arm.runs) for arm in result.arms] == [3, 3, 3]
    for one in result.arms:
        assert one.score is not None
        assert one.score.value == pytest.approx(one.mean("test/f1_samples"), abs=1e-12)
        assert one.score.seeds == 3
    assert a.difference is None
    assert b.difference is not None
    assert b.difference.is_shown
    assert b.difference.estimate.value == pytest.approx(
        b.mean("test/f1_samples") - a.mean("test/f1_samples")
    )
    # The same predictions, paired by seed and sample, differ by exactly nothing.
    assert c.difference is not None
    assert (c.difference.low, c.difference.high, c.difference.comparisons) == (0.0, 0.0, 2)
    assert [verdict(one.difference) for one in (b, c)] == ["better", "equal"]
    assert result.notes == ()


def test_arms_are_compared_on_the_seeds_that_they_share(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0, 1, 2)))
    for arm, seed in (("a", 0), ("a", 1), ("b", 1), ("b", 2)):
        track(tracker, tmp_path, parent.id, arm, seed, 0.1 if arm == "a" else 0.2)
    failed = tracker.start("b, seed=0", {"mmclf.arm": "b", "mmclf.seed": "0"}, parent.id)
    failed.end("FAILED")
    result = collect(tracker, parent)
    a, b, c = result.arms
    assert (len(a.runs), a.missing, len(a.failed)) == (2, (2,), 0)
    assert (len(b.runs), b.missing, len(b.failed)) == (2, (), 1)
    assert (len(c.runs), c.missing, c.score, c.difference) == (0, (0, 1, 2), None, None)
    assert b.difference is not None
    assert b.difference.estimate.seeds == 1
    assert "“b” can be compared on 1 seed so far" in result.notes[0]
    assert "5 of 9 runs have not finished" in result.notes[1]
    table = arms_table(result)
    assert list(table["Runs"]) == [
        "2 finished, 1 not run",
        "2 finished, 1 failed (seed 0)",
        "0 finished, 3 not run",
    ]


def test_a_run_that_failed_and_was_done_again_counts_once(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    tracker.start("a", {"mmclf.arm": "a", "mmclf.seed": "0"}, parent.id).end("FAILED")
    done = track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    tracker.start("a", {"mmclf.arm": "a", "mmclf.seed": "0"}, parent.id).end("KILLED")
    arm = collect(tracker, parent).arms[0]
    assert ([run.id for run in arm.runs], arm.failed, arm.missing) == ([done], (), ())


def test_one_seed_says_that_it_knows_the_test_set_alone(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    for arm, wrong in (("a", 0.3), ("b", 0.01), ("c", 0.25)):
        track(tracker, tmp_path, parent.id, arm, 0, wrong)
    result = collect(tracker, parent)
    assert result.notes[0].startswith("1 seed: ")
    assert [verdict(arm.difference) for arm in result.arms] == [
        "not compared",
        "undecided",
        "undecided",
    ]
    assert result.arms[1].time_ratio is not None
    assert math.isnan(result.arms[1].time_ratio.low)


def test_a_run_whose_artifacts_do_not_give_what_was_tracked_has_failed(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    run = track(tracker, tmp_path, parent.id, "b", 0, 0.1, tracked=0.99)
    result = collect(tracker, parent)
    first, second, _ = result.arms
    assert first.score is not None
    assert (second.score, [one.id for one in second.failed], second.runs) == (None, [run], ())
    assert "test/f1_samples is tracked as 0.99" in second.failed[0].tags["mmclf.error"]
    assert any(note.startswith(f"b (seed 0): run {run}: ") for note in result.notes)


def test_a_run_whose_artifacts_are_lost_stops_no_other(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    lost, kept = (track(tracker, tmp_path, parent.id, arm, 0, 0.1) for arm in "ab")
    shutil.rmtree(tmp_path / "artifacts" / lost)
    result = collect(tracker, parent)
    assert [one.id for one in result.arms[0].failed] == [lost]
    assert [one.id for one in result.arms[1].runs] == [kept]
    assert result.arms[1].difference is None


@pytest.mark.parametrize("most", [5, 6, 8, 9, 99])
def test_of_a_large_study_its_first_seeds_are_read(
    most: int, tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1, 2)))
    for seed in (0, 1, 2):
        for arm in ("a", "b", "c"):
            track(tracker, tmp_path, parent.id, arm, seed, 0.1)
    seeds = (0, 1, 2)[: 2 if most < 9 else 3]
    result = collect(tracker, parent, most_runs=most)
    assert result.definition.seeds == seeds
    assert [len(arm.runs) for arm in result.arms] == [len(seeds)] * 3


def test_the_map_is_that_of_each_run_however_many_are_held(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1)))
    for seed in (0, 1):
        for arm, wrong in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong, rules=True)
    whole = collect(tracker, parent)
    monkeypatch.setattr(read_scores, "RANKED_AT_ONCE", 4)
    monkeypatch.setattr(search_module, "RUNS_A_PAGE", 2)
    parts = collect(tracker, parent)
    for first, second in zip(whole.arms, parts.arms, strict=True):
        assert first.beside.keys() == second.beside.keys()
        assert first.beside == second.beside
    differences = [arm.beside["test/map"].estimate for arm in parts.arms[1:]]
    means = [arm.mean("test/map") - parts.arms[0].mean("test/map") for arm in parts.arms[1:]]
    assert [of.value for of in differences] == pytest.approx(means, abs=1e-9)


def test_artifacts_out_of_reach_are_no_lost_ones(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise MlflowException("the server does not answer")

    parent = start(tracker, tmp_path, definition((0,)))
    run = track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    repository = get_artifact_repository
    # As if they were on another machine.
    monkeypatch.setattr(local_files, "_in_place", lambda *_: None)
    monkeypatch.setattr(
        artifacts_module,
        "get_artifact_repository",
        lambda uri, *rest: fail() if run in uri else repository(uri, *rest),
    )
    with pytest.raises(InputError, match="the server does not answer"):
        collect(tracker, parent)
    monkeypatch.setattr(tracker.client, "list_artifacts", fail)
    shutil.rmtree(tmp_path / "artifacts" / run)
    with pytest.raises(InputError, match="the server does not answer"):
        collect(tracker, parent)


def test_a_run_that_is_still_running_has_not_failed(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    tracker.start("b", {"mmclf.arm": "b", "mmclf.seed": "0"}, parent.id)
    arm = collect(tracker, parent).arms[1]
    assert (arm.failed, arm.missing) == ((), (0,))


def test_different_hardware_versions_and_data_are_said(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1, tags={"mmclf.hardware": "one"})
    track(tracker, tmp_path, parent.id, "b", 0, 0.1, tags={"mmclf.hardware": "other"})
    notes = collect(tracker, parent).notes
    assert "the runs are of different hardware: one; other" in notes


def test_groups_in_several_parts_are_said(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1, tags={"mmclf.shared_groups": "12"})
    track(tracker, tmp_path, parent.id, "b", 0, 0.1)
    assert sum(note.startswith("12 groups ") for note in collect(tracker, parent).notes) == 1


@pytest.mark.parametrize("kind", ["samples", "micro", "macro"])
def test_any_f1_can_decide(kind: str, tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0, 1), f"test/f1_{kind}"))
    for seed in (0, 1):
        track(tracker, tmp_path, parent.id, "a", seed, 0.1)
        track(tracker, tmp_path, parent.id, "b", seed, 0.2)
    result = collect(tracker, parent)
    score = result.arms[0].score
    assert score is not None
    assert score.value == pytest.approx(result.arms[0].mean(f"test/f1_{kind}"))


def test_the_table_of_runs_has_each_tracked_value(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    run = track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    table = runs_table(collect(tracker, parent))
    assert list(table["run_id"]) == [run]
    assert table["test/map"][0] == 0.5


def test_other_rules_and_times_have_intervals_beside_the_deciding_metric(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1, 2)))
    for seed in (0, 1, 2):
        for arm, wrong, seconds in (("a", 0.2, 2.0 + seed), ("b", 0.1, 4.0 + 2 * seed)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong, seconds=seconds, rules=True)
        track(tracker, tmp_path, parent.id, "c", seed, 0.1)
    a, b, c = collect(tracker, parent).arms
    assert list(b.beside) == ["test/f1_samples_at_0.5", "test/f1_samples_fitted", "test/map"]
    # Whose own threshold is 0.5, and so is the fitted one of probabilities of two values.
    assert list(b.beside.values())[:2] == [b.difference] * 2
    of_map = b.beside["test/map"]
    assert of_map.estimate.value == pytest.approx(b.mean("test/map") - a.mean("test/map"))
    assert of_map.low < of_map.estimate.value < of_map.high
    assert of_map.comparisons == 2
    assert (a.beside, a.time_ratio, c.beside) == ({}, None, {})
    assert b.time_ratio is not None
    assert [b.time_ratio.value, b.time_ratio.low, b.time_ratio.high] == pytest.approx([2.0] * 3)


def test_a_study_that_was_tracked_before_margins_is_read(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0, 1)), without=("margin",))
    for seed in (0, 1):
        for arm, wrong in (("a", 0.3), ("b", 0.02)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    result = collect(tracker, parent)
    assert result.definition.margin == 0.005
    assert result.arms[1].difference is not None
    assert result.arms[1].difference.margin == 0.005
