"""A study from the command line: the runs that it makes, and the report that it leaves behind."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from statistics import fmean

import pytest
from message_facts import Naming
from small_studies import SMALL, children, losses, parent_of, places, tracker, without_its_page

from mmclf.cli.main import main

pytestmark = pytest.mark.slow
no_page = pytest.fixture(without_its_page)


@pytest.fixture(scope="module")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of the study of thresholds, two seeds, with -m."""
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


@pytest.mark.usefixtures("no_page")
def test_a_finished_study_runs_nothing_again(
    thresholds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {run.id for run in children(thresholds)}
    command = ["study=threshold", *SMALL, "study.seeds=2", f"output_dir={thresholds}"]
    assert main(command) == 0
    assert {run.id for run in children(thresholds)} == before
    printed = capsys.readouterr()
    assert printed.err == Naming("14 runs", "14", "0 to do")
    assert printed.out == Naming("14 of 14 finished")


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


@pytest.mark.usefixtures("no_page")
def test_a_launcher_of_joblib_runs_a_study_in_parallel(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [*losses(tmp_path), "study.seeds=[3,1]"]
    assert main([*command, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]) == 0
    told, logs = capfd.readouterr(), list((tmp_path / "sweeps").rglob("mmclf.log"))
    # The parent tells of each run once, and a worker writes to its log alone.
    assert [of for of in range(1, 5) if Naming(f"{of} of 4", "F1") == told.err] == [*(1, 2, 3, 4)]
    assert "run_id:" not in told.out + told.err
    assert [log.read_text().count("run_id:") for log in logs] == [1] * 4
    runs = children(tmp_path)
    assert len(places(runs)) == 4
    assert all("test/f1_samples" in run.metrics for run in runs)


def test_the_parent_says_what_came_of_its_runs(thresholds: Path) -> None:
    parent, runs = parent_of(thresholds), children(thresholds)
    means = {
        arm: fmean(run.metrics["test/f1_samples"] for run in runs if run.tags["mmclf.arm"] == arm)
        for arm in {run.tags["mmclf.arm"] for run in runs}
    }
    told = {key: parent.tags[f"mmclf.{key}"] for key in ("arms", "finished", "baseline")}
    assert told == {"arms": "7", "finished": "14 of 14", "baseline": "0.5"}
    best = parent.tags["mmclf.best_arm"]
    assert means[best] == max(means.values())
    assert parent.tags["mmclf.best_mean"] == f"{means[best]:.4f}"
    tags = tracker(thresholds).client.get_run(parent.id).data.tags
    note = tags["mlflow.note.content"]
    definition = json.loads(
        (thresholds / "artifacts" / parent.id / "artifacts" / "study.json").read_text()
    )
    assert definition["question"] in note
    assert all(f"{100 * mean:.2f}" in note for mean in means.values())
    assert "workflowType=machine_learning" in note
    assert tags["mlflow.user"] != ""
