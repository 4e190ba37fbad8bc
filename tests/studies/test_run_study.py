"""Studies from the command line: what runs, what does not run again, and what is left behind."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import pytest
from filelock import FileLock

from mmclf.cli.main import main
from mmclf.storage.tracking import TrackedRun, Tracker

SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=80", "data.test=30", "trainer.epochs=2"),
)
HEAD = """\
# @package _global_
defaults:
  - override /hydra/sweeper: study
"""
RATES = (
    "study:\n  question: Which rate?\n  design: grid\n"
    "  factors: {optimizer.lr: [0.001, 1.0e+20]}\n  seeds: 2\n"
)

LOSSES = (
    "study:\n  question: Which loss?\n  design: grid\n"
    "  factors: {loss: [bce, focal]}\n  seeds: [3]\n"
)


def tracker(folder: Path) -> Tracker:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


def parent_of(folder: Path) -> TrackedRun:
    (parent,) = [run for run in tracker(folder).runs() if run.parent is None]
    return parent


def children(folder: Path) -> list[TrackedRun]:
    return tracker(folder).children(parent_of(folder).id)


def places(runs: list[TrackedRun], status: str = "FINISHED") -> list[tuple[str, str]]:
    return sorted(
        (run.tags["mmclf.arm"], run.tags["mmclf.seed"]) for run in runs if run.status == status
    )


def own_study(folder: Path, text: str) -> Path:
    path = folder / "conf" / "study" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + text)
    return folder / "conf"


@pytest.fixture(scope="module")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of the study of thresholds, two seeds, with -m, its last line in a file."""
    folder = tmp_path_factory.mktemp("thresholds")
    assert main(["-m", "study=threshold", *SMALL, "study.seeds=2", f"output_dir={folder}"]) == 0
    return folder


def test_a_study_runs_every_arm_with_every_seed(thresholds: Path) -> None:
    runs = children(thresholds)
    arms = ["0.3", "0.4", "0.45", "0.5", "0.6", "global_f1", "per_label_f1"]
    assert places(runs) == [(arm, seed) for arm in arms for seed in "01"]
    assert {run.tags["mmclf.study"] for run in runs} == {"threshold"}
    assert {run.name for run in runs} >= {"0.45, seed=0", "global_f1, seed=1"}
    parent = parent_of(thresholds)
    assert (parent.status, parent.metrics) == ("FINISHED", {})
    assert parent.tags["mmclf.study"] == "threshold"


def test_thresholds_are_trained_once_a_seed(thresholds: Path) -> None:
    fits = {run.tags["mmclf.stage.fit"].partition(" ")[0] for run in children(thresholds)}
    assert len(fits) == 2


def test_the_same_test_set_and_another_training_set_for_each_seed(thresholds: Path) -> None:
    import numpy as np

    ids: dict[str, set[tuple[str, ...]]] = {"val": set(), "test": set()}
    for run in children(thresholds):
        for part, seen in ids.items():
            path = thresholds / "artifacts" / run.id / "artifacts" / "predictions" / f"{part}.npz"
            found = tuple(np.load(path)["ids"])
            assert run.tags[f"mmclf.samples.{part}"] == str(len(found))
            seen.add(found)
    assert (len(ids["val"]), len(ids["test"])) == (2, 1)
    for run in children(thresholds):
        drawn = [int(run.tags[f"mmclf.samples.{part}"]) for part in ("train", "val")]
        assert sum(drawn) == 80


def test_a_finished_study_runs_nothing_again(
    thresholds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {run.id for run in children(thresholds)}
    command = ["study=threshold", *SMALL, "study.seeds=2", f"output_dir={thresholds}"]
    assert main(command) == 0
    assert {run.id for run in children(thresholds)} == before
    printed = capsys.readouterr()
    assert "14 runs, 14 of them done, 0 to do" in printed.err
    assert "runs: 14 of 14 finished" in printed.out


def test_the_report_is_left_in_a_folder_and_with_the_parent(thresholds: Path) -> None:
    folder = thresholds / "studies" / "threshold"
    artifacts = thresholds / "artifacts" / parent_of(thresholds).id / "artifacts"
    names = {"index.html", "results.csv", "results.md", "results.tex", "results.txt", "runs.csv"}
    assert names <= {path.name for path in folder.iterdir()}
    assert names | {"study.json"} <= {path.name for path in artifacts.iterdir()}
    definition = json.loads((artifacts / "study.json").read_text())
    assert "study=threshold vision=none text=tfidf" in definition["command"]
    assert definition["baseline"] == "0.5"


def test_every_cell_of_a_run_is_what_was_tracked(thresholds: Path) -> None:
    runs = {run.id: run for run in children(thresholds)}
    with (thresholds / "studies" / "threshold" / "runs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(runs)
    for row in rows:
        run = runs[row["run_id"]]
        assert row["arm"] == run.tags["mmclf.arm"]
        assert row["seed"] == run.tags["mmclf.seed"]
        for key, value in row.items():
            if "/" in key:
                assert float(value) == run.metrics[key], key


def test_every_cell_of_the_page_is_what_was_tracked(thresholds: Path) -> None:
    runs = {run.id: run for run in children(thresholds)}
    page = (thresholds / "studies" / "threshold" / "index.html").read_text(encoding="utf-8")
    seen = set()
    for run, cells in re.findall(r'<tr data-row="([0-9a-f]{32})">(.*?)</tr>', page, re.DOTALL):
        values = dict(re.findall(r'data-column="([^"]*/[^"]*)" data-value="([^"]*)"', cells))
        assert "test/f1_samples" in values
        assert {key: runs[run].metrics[key] for key in values} == {
            key: float(value) for key, value in values.items()
        }
        seen.add(run)
    assert seen == set(runs)
    assert len(page) < 2_000_000


def test_every_cell_of_an_arm_is_the_mean_of_its_runs(thresholds: Path) -> None:
    with (thresholds / "studies" / "threshold" / "results.csv").open() as stream:
        rows = {row["Arm"]: row for row in csv.DictReader(stream)}
    for arm, row in rows.items():
        own = [run for run in children(thresholds) if run.tags["mmclf.arm"] == arm]
        for column, key in (
            ("test/f1_samples", "test/f1_samples"),
            ("F1 at 0.5", "test/f1_samples_at_0.5"),
            ("F1 fitted", "test/f1_samples_fitted"),
            ("mAP", "test/map"),
            ("Running time (s)", "time/cold_s"),
        ):
            mean = sum(run.metrics[key] for run in own) / len(own)
            assert math.isclose(float(row[column]), mean, rel_tol=1e-12), (arm, column)
    base = float(rows["0.5"]["test/f1_samples"])
    for arm, row in rows.items():
        if arm != "0.5":
            difference = float(row["test/f1_samples"]) - base
            assert math.isclose(float(row["Difference"]), difference, abs_tol=1e-12)
            assert float(row["Diff. low"]) <= difference <= float(row["Diff. high"])


def losses(folder: Path) -> list[str]:
    """The command of a study of two losses with the seed 3."""
    conf = own_study(folder, LOSSES)
    return ["--config-dir", str(conf), "study=mine", *SMALL, f"output_dir={folder}"]


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
    assert printed.err.count("NonFiniteLossError: the loss is not finite") == 2
    assert "2 of 4 runs have not finished" in printed.out
    assert "0 finished, 2 failed (seed 0, 1)" in printed.out
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_report_is_of_the_study_that_was_run_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = losses(tmp_path)
    first, other = command, [*command, "trainer.epochs=1"]
    for one in (first, other, first):
        assert main(one) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("study_id")]
    assert told[0] == told[2] != told[1]
    assert main(["report", "mine", "--format", "html", f"output_dir={tmp_path}"]) == 0
    page = capsys.readouterr().out
    assert "trainer.epochs=2" in page
    assert "trainer.epochs=1" not in page


@pytest.mark.slow
def test_other_settings_are_another_study(tmp_path: Path) -> None:
    command = losses(tmp_path)
    assert main(command) == 0
    assert main([*command, "trainer.epochs=1"]) == 0
    parents = [run for run in tracker(tmp_path).runs() if run.parent is None]
    assert len(parents) == 2


def test_a_study_that_is_being_run_is_not_run_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "studies" / ".threshold.lock"
    lock.parent.mkdir()
    with FileLock(lock):
        assert main(["study=threshold", *SMALL, f"output_dir={tmp_path}"]) == 2
    assert "is being run by another process" in capsys.readouterr().err
    assert not (tmp_path / "mlflow.db").exists()


def test_who_shares_a_database_shares_the_lock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "shared" / "studies" / ".threshold.lock"
    lock.parent.mkdir(parents=True)
    place = [f"output_dir={tmp_path}/own", f"tracking.uri=sqlite:///{tmp_path}/shared/mlflow.db"]
    with FileLock(lock):
        assert main(["study=threshold", *SMALL, *place]) == 2
    told = capsys.readouterr().err
    assert "is being run by another process" in told
    # Another output folder would lead to the same runs.
    assert "give tracking.uri=URI for one beside it" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["study=threshhold"], "did you mean 'threshold'?"),
        (["study=threshold", "threshold=fixed"], "study=threshold varies threshold"),
        (["study=threshold", "loss=bce,focal"], "a study varies its factors alone"),
        (["study=loss,threshold"], "study"),
        (["study=threshold", "data=competition", "data.root=nowhere"], "nowhere"),
    ],
)
def test_bad_input_exits_2_and_runs_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "vision=none", "text=tfidf", f"output_dir={tmp_path}"]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_a_launcher_of_joblib_runs_a_study_in_parallel(tmp_path: Path) -> None:
    command = [*losses(tmp_path), "study.seeds=[3,1]"]
    assert main([*command, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]) == 0
    runs = children(tmp_path)
    assert len(places(runs)) == 4
    assert all("test/f1_samples" in run.metrics for run in runs)
