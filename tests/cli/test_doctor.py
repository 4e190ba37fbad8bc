"""`mmclf doctor` as a user calls it, on a small table of one's own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from examined_table import Table, doctor, new_table, results
from message_facts import Naming
from PIL import Image

from mmclf.cli.main import main

table = pytest.fixture(new_table)

FEW = "labels fewer than 10 times in training"
FINDINGS = [
    "samples",
    "ids",
    "labels",
    "words a caption",
    "groups",
    "groups in several parts",
    "sizes of the parts",
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
    "labels not in val",
    "labels not in test",
    FEW,
    "balance of the split",
]

OWN = """
import numpy as np
from mmclf.data.samples import Samples


def load(count: int) -> Samples:
    nothing = np.zeros(count, dtype=bool)
    ids = tuple(map(str, range(count)))
    labels = np.ones((count, 2), dtype=np.uint8)
    return Samples(ids, (), ids, labels, ("1", "2"), ("one", "two"), nothing, nothing)
"""


def test_nothing_to_say_of_good_data(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    out = doctor(capsys, 0, *table.overrides)
    checks, labels, last = out.split("\n\n")
    header, *lines = checks.splitlines()
    assert header.split() == ["verdict", "what", "found"]
    assert [line.split("  ")[0] for line in lines] == ["ok"] * len(FINDINGS)
    place = header.index("found")
    assert [line[9:place].strip() for line in lines] == FINDINGS
    assert lines[0][place:] == Naming("24", "train 20", "val 2", "test 2")
    columns = ["verdict", "label", "name", "total", "train", "val", "test"]
    columns += ["train share", "val share", "test share", "val/train", "test/train", "remark"]
    values = ["12", "10", "1", "1", *["0.5000"] * 3, *["1.0000"] * 2]
    assert [re.split(r" {2,}", line) for line in labels.splitlines()] == [
        columns,
        *(["ok", name, name, *values] for name in ("t-shirt", "traffic light")),
    ]
    assert "bad, " not in last
    assert not (table.folder / "outputs" / "mlflow.db").exists()


def test_what_is_odd_is_noted_and_what_leaks_is_bad(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same file under another name, the same picture in another file, and captions alike.
    (table.folder / "set" / "22.png").write_bytes((table.folder / "set" / "3.png").read_bytes())
    Image.open(table.folder / "set" / "4.png").save(table.folder / "set" / "5.bmp")
    table.change(5, image="5.bmp", caption="")
    table.change(23, caption=" Caption  0")
    table.change(7, labels="t-shirt")
    checks = results(table.examined().checks)
    alike = "'3.png' = '22.png'", "'4.png' = '5.bmp'"
    assert {what: actual for what, actual in checks.items() if actual[0] != "ok"} == {
        "empty captions": ("note", Naming("1 of 24", "5.bmp")),
        "same captions": ("note", Naming("2 of 24", "1 group", "'caption 0'", "2")),
        "test captions in training": ("note", Naming("1 of 2", "50.00", "23.png")),
        "same images": (
            "note",
            Naming("4 of 24", "2 groups", *alike),
        ),
        "same image, other labels": (
            "note",
            Naming("2 of 2", *alike),
        ),
        "same image, several parts": (
            "bad",
            Naming("1 of 2", alike[0]),
        ),
        "test images in training": ("bad", Naming("1 of 2", "50.00", "22.png")),
        FEW: ("note", Naming("1 of 2", "'traffic light'", "9")),
    }
    out = doctor(capsys, 1, *table.overrides)
    assert out.splitlines()[-1] == Naming("2 bad", "6 notes")
    assert out.splitlines()[-3] == Naming("traffic light", "9", "10")


def test_a_label_that_training_lacks_would_stop_a_run(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    table.change(23, labels="traffic light|fire hydrant")
    out = doctor(capsys, 1, *table.overrides)
    line = next(line for line in out.splitlines() if "labels not in training" in line)
    assert line.startswith("bad     ")
    assert line == Naming("'fire hydrant'", "0 in val", "1 in test")
    (row,) = [line for line in out.splitlines() if "fire hydrant   fire hydrant" in line]
    assert row.startswith("bad      fire hydrant ")
    assert re.split(r" {2,}", row)[-4:-1] == ["0.5000", "-", "-"]


def test_what_cannot_be_split_is_reported(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(20):
        table.change(i, part="val")
    out = doctor(capsys, 1, *table.overrides)
    (line,) = [line for line in out.splitlines() if line.startswith("bad      split ")]
    assert line == Naming("24", "validation", "test")
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
    out = doctor(capsys, 1, *given, "image.size=16", "split=random", *shares)
    assert out == Naming("3", "train 1", "val 1", "test 1")
    line = next(line for line in out.splitlines() if "labels not in training" in line)
    assert line.startswith("bad ")


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
