"""The report of `mmclf doctor --track`, as the tracker keeps it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from examined_table import Table, doctor, new_table
from message_facts import Naming
from PIL import Image

from mmclf.cli.main import main
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.tables.run_table import COLUMNS

table = pytest.fixture(new_table)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database for all tests here: to make one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/mlflow.db"


@dataclass(frozen=True)
class Tracked:
    """An experiment of a test's own."""

    tracker: Tracker
    overrides: list[str]

    @property
    def run(self) -> TrackedRun:
        (run,) = self.tracker.runs()
        return run


@pytest.fixture
def tracked(database: str, tmp_path: Path) -> Tracked:
    outputs = tmp_path / "outputs"
    where = [f"tracking.uri={database}", f"tracking.experiment={tmp_path.name}"]
    tracker = Tracker(database, tmp_path.name, outputs)
    return Tracked(tracker, [*where, f"output_dir={outputs}"])


def test_what_the_loader_refuses_is_reported(
    table: Table, tracked: Tracked, capsys: pytest.CaptureFixture[str]
) -> None:
    table.change(3, image="1.png")
    table.change(4, labels="")
    out = doctor(capsys, 1, *table.overrides, *tracked.overrides, "--track")
    lines = out.splitlines()
    assert lines[0].split() == ["verdict", "what", "found"]
    assert [line[:15] for line in lines[1:3]] == ["bad      data  "] * 2
    assert lines[1] == Naming("'1.png'", "twice")
    assert lines[2] == Naming("1 of 24", "labels", "line 6")
    assert lines[3:5] == ["", Naming("2 bad")]
    report = tracked.tracker.fetch(tracked.run, "", table.folder)
    assert [path.name for path in report.iterdir() if path.is_file()] == ["doctor.md"]


def test_a_tracked_report_can_be_read_back(
    table: Table, tracked: Tracked, capsys: pytest.CaptureFixture[str]
) -> None:
    table.change(7, labels="t-shirt")
    out = doctor(capsys, 0, *table.overrides, *tracked.overrides, "seed=3", "--track")
    run = tracked.run
    assert out.splitlines()[-2:] == [Naming("1 note"), f"run_id: {run.id}"]
    assert (run.name, run.status, run.parent, run.metrics) == (
        "doctor: table",
        "FINISHED",
        None,
        {},
    )
    assert run.tags["mmclf.versions"].startswith("python 3.")
    assert run.tags["mmclf.commit"] != ""
    others = {key: run.tags[key] for key in run.tags.keys() - {"mmclf.versions", "mmclf.commit"}}
    assert others == {
        "mmclf.kind": "doctor",
        "mmclf.data": "table",
        "mmclf.split": "iterative",
        "mmclf.image": "resize",
        "mmclf.seed": "3",
    }
    folder = table.folder / "fetched"
    folder.mkdir()
    report = tracked.tracker.fetch(run, "doctor.md", folder).read_text()
    count, _, title, _, header, *_ = report.splitlines()
    assert (count, title, header[:11]) == (Naming("1 note"), "## Findings", "| verdict |")
    notes = [line.split(" | ")[1:] for line in report.splitlines() if line.startswith("| note |")]
    assert notes[0] == [Naming("10"), Naming("1 of 2", "'traffic light'", "9")]
    with tracked.tracker.fetch(run, "labels.csv", folder).open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["label"], first["total"], float(first["train share"])) == ("t-shirt", "13", 0.55)
    assert (second["name"], second["train"], second["verdict"]) == ("traffic light", "9", "note")
    assert float(second["test/train"]) == pytest.approx(0.5 / 0.45)
    with Image.open(tracked.tracker.fetch(run, "figures/label_shares.png", folder)) as figure:
        assert figure.width > 100


def test_a_tracked_report_does_not_hide_the_latest_sweep(
    table: Table, tracked: Tracked, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = tracked.tracker.start("sweep", {}, None).id
    with tracked.tracker.run("arm", {}, parent) as log:
        log.metrics(dict.fromkeys(COLUMNS.values(), 0.5))
    doctor(capsys, 0, *table.overrides, *tracked.overrides, "--no-images", "--track")
    assert main(["report", *tracked.overrides, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["Model"] for row in rows] == ["arm"]
    assert main(["runs", *tracked.overrides]) == 0
    listed = [line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["name", "doctor: table", "arm", "sweep"]
