"""`mmclf report` and `mmclf runs` against the runs that they read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.tables.run_table import COLUMNS


def tracker(folder: Path) -> Tracker:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


def log(folder: Path, name: str, value: float, parent: str | None = None) -> str:
    with tracker(folder).run(name, {"mmclf.study": "loss"} if parent else {}, parent) as run:
        run.metrics({key: value + i / 7 for i, key in enumerate(COLUMNS.values())})
    return run.id


@pytest.fixture
def sweep(tmp_path: Path) -> list[TrackedRun]:
    """Two runs of a sweep, older than a single run."""
    parent = tracker(tmp_path).start("sweep", {}, None).id
    ids = [log(tmp_path, "default", 0.1, parent), log(tmp_path, "improved", 0.2, parent)]
    log(tmp_path, "single", 0.3)
    return tracker(tmp_path).get(ids)


def report(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["report", *arguments, f"output_dir={folder}"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("selection", [[], ["loss"]])
def test_every_cell_is_the_tracked_metric_of_its_run(
    tmp_path: Path,
    sweep: list[TrackedRun],
    capsys: pytest.CaptureFixture[str],
    selection: list[str],
) -> None:
    rows = list(
        csv.DictReader(io.StringIO(report(tmp_path, capsys, *selection, "--format", "csv")))
    )
    assert [row["Model"] for row in rows] == ["default", "improved"]
    for row, run in zip(rows, sweep, strict=True):
        for column, key in COLUMNS.items():
            assert float(row[column]) == run.metrics[key]


def test_text_has_the_columns_verbatim_and_rounded_values(
    tmp_path: Path, sweep: list[TrackedRun], capsys: pytest.CaptureFixture[str]
) -> None:
    header, first, *_ = report(tmp_path, capsys).splitlines()
    assert [name.strip() for name in header.split("  ") if name.strip()] == ["Model", *COLUMNS]
    assert first.split()[1:3] == ["0.1000", f"{0.1 + 1 / 7:.4f}"]


def test_labels_that_count_as_0_are_said_below_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracker(tmp_path).run("sparse", {}, None) as run:
        metrics = {f"test/f1_label/{name}": 0.5 for name in "abcd"}
        run.metrics(metrics | {"val/labels_without_positive": 0, "test/labels_without_positive": 3})
    *_, last = report(tmp_path, capsys).splitlines()
    assert last == Naming("note", "test", "3 of 4 labels")
    assert "note" not in report(tmp_path, capsys, "--format", "csv")


def test_given_runs_come_in_the_given_order(
    tmp_path: Path, sweep: list[TrackedRun], capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [run.id for run in reversed(sweep)]
    rows = csv.DictReader(io.StringIO(report(tmp_path, capsys, "--runs", *ids, "--format", "csv")))
    assert [row["Model"] for row in rows] == ["improved", "default"]


def test_a_report_on_data_is_no_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log(tmp_path, "single", 0.3)
    tracker(tmp_path).start("doctor: demo", {"mmclf.kind": "doctor"}, None).end("FINISHED")
    rows = csv.DictReader(io.StringIO(report(tmp_path, capsys, "--format", "csv")))
    assert [row["Model"] for row in rows] == ["single"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "los"], Naming("'los'", "'loss'")),
        (["report", "--runs", "f" * 32], Naming("`mmclf runs`")),
    ],
)
def test_what_is_not_there_is_answered(
    tmp_path: Path,
    sweep: list[TrackedRun],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: Naming,
) -> None:
    assert main([*arguments, f"output_dir={tmp_path}"]) == 2
    assert capsys.readouterr().err == words


def test_no_database_is_answered_and_none_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", f"output_dir={tmp_path / 'nothing'}"]) == 2
    assert capsys.readouterr().err == Naming("no database", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_runs_are_listed_the_latest_first(
    tmp_path: Path, sweep: list[TrackedRun], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", f"output_dir={tmp_path}"]) == 0
    header, *rows = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert header[0] == "run_id"
    assert [row[-1] for row in rows] == ["single", "improved", "default", "sweep"]
    assert rows[1][0] == sweep[1].id
