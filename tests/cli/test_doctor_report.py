from __future__ import annotations

import csv
import io
import re

import pytest
from rich.console import Console

from mmclf.cli.doctor_report import labels_csv, print_rich, render, summary
from mmclf.data.checks.check import Check, CheckStatus
from mmclf.data.checks.examine import Examination
from mmclf.data.checks.labels import LabelRow

ODD = Examination(
    [Check("bad", "data", "a|b\x1b[31m\n  c"), Check("note", "ids", "[bold]x[/bold]")],
    [LabelRow("1", "traffic\tlight", 3, {"train": 0, "val": 3}, {"train": 0.0, "val": 1 / 3})],
)


def test_cells_are_of_one_line_and_hold_nothing_that_a_terminal_obeys() -> None:
    lines = render(ODD, "text").splitlines()
    assert lines[1] == "bad      data  a|b\\x1b[31m c"
    assert lines[2] == "note     ids   [bold]x[/bold]"
    assert "traffic\\tlight" in lines[5]
    cells = [line.split(" | ") for line in render(ODD, "md").splitlines()]
    assert ["| bad", "data", "a\\|b\\x1b[31m c |"] in cells


def test_a_terminal_shows_the_same_words() -> None:
    out = io.StringIO()
    print_rich(ODD, Console(file=out, width=200))
    shown = out.getvalue()
    words = ["bad", "a|b\\x1b[31m c", "[bold]x[/bold]", "none in training", "0.3333"]
    assert all(word in shown for word in [*words, "1 bad, 1 note"])


def test_the_labels_file_is_not_rounded() -> None:
    header, row = csv.reader(io.StringIO(labels_csv(ODD.labels)))
    assert header == [
        *("verdict", "label", "name", "total", "train", "val", "train share", "val share"),
        *("val/train", "remark"),
    ]
    assert float(row[7]) == 1 / 3
    assert row[2] == r"traffic\tlight"
    assert labels_csv(()) == "verdict,label,name,total,remark\n"


@pytest.mark.parametrize(
    ("verdicts", "counts"),
    [
        ([], []),
        (["ok", "note"], ["1 note"]),
        (["bad", "bad", "note", "note"], ["2 bad", "2 notes"]),
    ],
)
def test_the_last_line(verdicts: list[CheckStatus], counts: list[str]) -> None:
    line = summary(Examination([Check(verdict, "x", "y") for verdict in verdicts]))
    assert re.findall(r"\d+ (?:bad|notes?)", line) == counts
