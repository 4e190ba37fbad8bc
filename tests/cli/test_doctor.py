"""`mmclf doctor` as a user calls it, on a small table of one's own."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image

from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.data import decoded_images as decoded
from mmclf.data.checks.check import Check
from mmclf.data.checks.examine import Examination, examine
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.run_table import COLUMNS

FINDINGS = [
    "samples",
    "ids",
    "labels",
    "words a caption",
    "empty captions",
    "same captions",
    "val captions in training",
    "test captions in training",
    "images",
    "missing images",
    "unreadable images",
    "same images",
    "same image, other labels",
    "same image, several parts",
    "val images in training",
    "test images in training",
    "labels not in training",
    "labels fewer than 10 times in training",
    "balance of the split",
]


@dataclass(frozen=True)
class Row:
    image: str
    labels: str
    caption: str
    part: str = "train"


@dataclass
class Table:
    """24 samples of two labels, each with a picture and a caption of its own; nothing is odd."""

    folder: Path
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = ["train"] * 20 + ["val"] * 2 + ["test"] * 2
        for i, part in enumerate(parts):
            label = ("t-shirt", "traffic light")[i % 2]
            self.rows.append(Row(f"{i}.png", label, f"caption {i}", part))
            self.draw(f"{i}.png", i)

    def draw(self, name: str, shade: int) -> None:
        (self.folder / "set").mkdir(exist_ok=True)
        Image.new("RGB", (20, 16), (10 * shade, 100, 7)).save(self.folder / "set" / name)

    def change(self, row: int, **values: str) -> None:
        self.rows[row] = replace(self.rows[row], **values)

    @property
    def overrides(self) -> list[str]:
        """What reads the table, which is written by asking for this."""
        with (self.folder / "set" / "t.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["image", "labels", "caption", "part"])
            writer.writerows([row.image, row.labels, row.caption, row.part] for row in self.rows)
        return [
            "data=table",
            f"data.root={self.folder / 'set'}",
            "data.file=t.csv",
            "data.separator='|'",
            "data.split_column=part",
            "image.size=16",
            f"output_dir={self.folder / 'outputs'}",
        ]

    def examined(self, *more: str) -> Examination:
        return examine(compose([*self.overrides, *more]).config, read_images=True)


OWN = """
import numpy as np
from mmclf.data.samples import Samples


def load(count: int) -> Samples:
    nothing = np.zeros(count, dtype=bool)
    ids = tuple(map(str, range(count)))
    labels = np.ones((count, 2), dtype=np.uint8)
    return Samples(ids, (), ids, labels, ("1", "2"), ("one", "two"), nothing, nothing)
"""


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


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


def results(checks: Sequence[Check]) -> dict[str, tuple[str, str]]:
    return {one.name: (one.status, one.detail) for one in checks}


def doctor(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> str:
    assert main(["doctor", *arguments]) == status
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_nothing_to_say_of_good_data(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    out = doctor(capsys, 0, *table.overrides)
    checks, labels, last = out.split("\n\n")
    header, *lines = checks.splitlines()
    assert header.split() == ["verdict", "what", "found"]
    assert [line.split("  ")[0] for line in lines] == ["ok"] * len(FINDINGS)
    place = header.index("found")
    assert [line[9:place].strip() for line in lines] == FINDINGS
    assert lines[0][place:] == "24 (train 20, val 2, test 2)"
    assert labels.splitlines() == [
        "verdict  label          name           total  train  val  test  train share  val share"
        "  test share  val/train  test/train  remark",
        *(
            f"ok       {name:<13}  {name:<13}     12     10    1     1       0.5000     0.5000"
            "      0.5000     1.0000      1.0000"
            for name in ("t-shirt", "traffic light")
        ),
    ]
    assert last == "nothing would stop a run: all is ok\n"
    assert not (table.folder / "outputs" / "mlflow.db").exists()


def test_what_is_odd_is_noted_and_stops_nothing(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same file under another name, the same picture in another file, and captions alike.
    (table.folder / "set" / "22.png").write_bytes((table.folder / "set" / "3.png").read_bytes())
    Image.open(table.folder / "set" / "4.png").save(table.folder / "set" / "5.bmp")
    table.change(5, image="5.bmp", caption="")
    table.change(23, caption=" Caption  0")
    table.change(7, labels="t-shirt")
    checks = results(table.examined().checks)
    assert {what: found for what, found in checks.items() if found[0] != "ok"} == {
        "empty captions": ("note", "1 of 24 captions: '5.bmp'"),
        "same captions": ("note", "2 of 24 samples, in 1 group: 'caption 0' (2 times)"),
        "test captions in training": ("note", "1 of 2 test samples (50.00 %): '23.png'"),
        "same images": (
            "note",
            "4 of 24 samples, in 2 groups: '3.png' = '22.png', '4.png' = '5.bmp'",
        ),
        "same image, other labels": (
            "note",
            "2 of 2 groups: '3.png' = '22.png', '4.png' = '5.bmp'",
        ),
        "same image, several parts": ("note", "1 of 2 groups: '3.png' = '22.png'"),
        "test images in training": ("note", "1 of 2 test samples (50.00 %): '22.png'"),
        "labels fewer than 10 times in training": ("note", "1 of 2 labels: 'traffic light' (9)"),
    }
    out = doctor(capsys, 0, *table.overrides)
    assert out.endswith("\nnothing would stop a run: 8 notes\n")
    assert out.splitlines()[-3].endswith("  fewer than 10 in training")


def damage(table: Table) -> None:
    (table.folder / "set" / "2.png").unlink()
    (table.folder / "set" / "9.png").write_bytes(b"")
    (table.folder / "set" / "11.png").write_bytes(b"")


def test_bad_images_would_stop_a_run(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    damage(table)
    out = doctor(capsys, 2, *table.overrides)
    checks = results(table.examined().checks)
    assert checks["images"] == ("ok", "21 of 24 read, at 16 pixels")
    advice = ": replace the files, or leave their samples out by data.on_bad_image=skip"
    assert checks["missing images"] == ("problem", f"1 of 24 images: '2.png'{advice}")
    assert checks["unreadable images"] == (
        "problem",
        f"2 of 24 images: '9.png' (it is empty), '11.png' (it is empty){advice}",
    )
    # They hold no picture that could be alike.
    assert checks["same images"] == ("ok", "none")
    assert checks["samples"] == ("ok", "24 (train 20, val 2, test 2)")
    assert checks["missing images"][1] in out
    assert out.endswith("\na run would stop: 2 problems\n")


def test_bad_images_that_a_run_leaves_out_are_in_no_part(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(table)
    table.change(22, caption="caption 9")
    examination = table.examined("data.on_bad_image=skip")
    checks = results(examination.checks)
    assert checks["samples"] == ("ok", "24 (train 17, val 2, test 2)")
    assert checks["missing images"] == (
        "note",
        "1 of 24 images: '2.png'; their samples are left out",
    )
    # The caption's twin is left out, so training does not hold it.
    assert checks["test captions in training"] == ("ok", "none")
    assert [row.total for row in examination.labels] == [12, 12]
    assert [row.counts["train"] for row in examination.labels] == [9, 8]
    out = doctor(capsys, 0, *table.overrides, "data.on_bad_image=skip")
    assert "nothing would stop a run" in out


def test_images_are_not_looked_at_on_request(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(table)
    out = doctor(capsys, 0, *table.overrides, "--no-images")
    (line,) = [line for line in out.splitlines() if " images " in line]
    assert line.startswith("note     images ")
    assert line.endswith("not looked at (--no-images); a run needs vision=none to do without")
    assert not (table.folder / "outputs").exists()


def test_data_without_images(table: Table) -> None:
    checks = table.examined("data.image_column=null").checks
    assert results(checks)["images"] == (
        "note",
        "this data has none; a run needs vision=none to do without",
    )


def test_a_second_time_no_image_is_decoded(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table.examined()

    def refuse(*_: object) -> None:
        pytest.fail("an image was read again")

    monkeypatch.setattr(decoded, "read_image", refuse)
    assert table.examined().checks == first.checks


def test_a_label_that_training_lacks_would_stop_a_run(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    table.change(23, labels="traffic light|fire hydrant")
    out = doctor(capsys, 2, *table.overrides)
    line = next(line for line in out.splitlines() if "labels not in training" in line)
    assert line.startswith("problem ")
    assert "the label 'fire hydrant' is seen outside training only (0 in val, 1 in test)" in line
    (row,) = [line for line in out.splitlines() if "fire hydrant   fire hydrant" in line]
    assert row.startswith("problem  fire hydrant ")
    assert row.endswith("0.5000          -           -  none in training")


def test_what_the_loader_refuses_is_reported(
    table: Table, tracked: Tracked, capsys: pytest.CaptureFixture[str]
) -> None:
    table.change(3, image="1.png")
    table.change(4, labels="")
    out = doctor(capsys, 2, *table.overrides, *tracked.overrides, "--track")
    lines = out.splitlines()
    assert lines[0].split() == ["verdict", "what", "found"]
    assert [line[:15] for line in lines[1:3]] == ["problem  data  "] * 2
    assert "the id '1.png' stands twice" in lines[1]
    assert "1 of 24 rows have no labels (line 6)" in lines[2]
    assert lines[3:5] == ["", "a run would stop: 2 problems"]
    report = tracked.tracker.fetch(tracked.run, "", table.folder)
    assert [path.name for path in report.iterdir() if path.is_file()] == ["doctor.md"]


def test_what_cannot_be_split_is_reported(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(20):
        table.change(i, part="val")
    out = doctor(capsys, 2, *table.overrides)
    assert "problem  split " in out
    assert "the source keeps all 24 samples for validation and test" in out
    assert "ok       samples " in out
    assert "test captions" not in out
    labels = out.split("\n\n")[1].splitlines()
    assert [line.split() for line in labels[:2]] == [
        ["verdict", "label", "name", "total", "remark"],
        ["ok", "t-shirt", "t-shirt", "12"],
    ]


def test_a_wrong_configuration_is_answered_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "data=competitoin"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "did you mean 'competition'?" in printed.err


def test_the_competitions_layout(competition: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shares = ["split.val=0.34", "split.test=0.34"]
    given = ["data=competition", f"data.root={competition}", f"output_dir={competition}/outputs"]
    out = doctor(capsys, 2, *given, "image.size=16", "split=random", *shares)
    assert "3 (train 1, val 1, test 1)" in out
    assert "problem  labels not in training" in out


def test_a_source_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text("_target_: my_source.load\ncount: 100\n")
    (tmp_path / "my_source.py").write_text(OWN)
    given = ["--config-dir", str(tmp_path), "data=mine", "allow_targets=[my_source]"]
    out = doctor(capsys, 0, *given)
    assert "100 (train " in out
    assert "note     images " in out
    del sys.modules["my_source"]


def test_a_tracked_report_can_be_read_back(
    table: Table, tracked: Tracked, capsys: pytest.CaptureFixture[str]
) -> None:
    table.change(7, labels="t-shirt")
    out = doctor(capsys, 0, *table.overrides, *tracked.overrides, "seed=3", "--track")
    run = tracked.run
    assert out.endswith(f"nothing would stop a run: 1 note\nrun_id: {run.id}\n")
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
    assert report.startswith("Nothing would stop a run: 1 note.\n\n## Findings\n\n| verdict |")
    assert "| note | labels fewer than 10 times in training | 1 of 2 labels: " in report
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
