"""Predictions in the form of a source, and as files that are read back."""

from __future__ import annotations

import csv
import importlib
import json
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmclf.errors import InputError
from mmclf.pipeline.predict.table import (
    HOLDING_LISTS,
    SUFFIXES,
    Columns,
    LabelForm,
    check_out,
    label_columns,
    probability_columns,
    top_columns,
    write_table,
)

IDS = ["a.jpg", "b.jpg", "c.jpg"]
LABELS = ["cat", "hot dog", "bench"]
CHOSEN = [np.array([0, 2]), np.array([], dtype=np.int64), np.array([1])]
FORM = LabelForm("picture", "tags", "|")
TABLE: Columns = [("id", ["é", 'a "b", c']), ("n", [1, 0]), ("p", [0.25, 1e-9])]


def read(out: Path) -> list[dict[str, str]]:
    """The rows of a written file, every cell as text."""
    if out.suffix in (".jsonl", ".ndjson"):
        lines = out.read_text(encoding="utf-8").splitlines()
        return [{k: str(v) for k, v in json.loads(line).items()} for line in lines]
    if out.suffix in (".parquet", ".pq"):
        parquet = pytest.importorskip("pyarrow.parquet")
        rows = parquet.read_table(out).to_pylist()
        return [{k: str(v) for k, v in row.items()} for row in rows]
    with out.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="," if out.suffix == ".csv" else "\t"))


def test_labels_stand_under_the_sources_names_with_its_separator() -> None:
    columns = label_columns(FORM, IDS, LABELS, CHOSEN)
    assert columns == [("picture", IDS), ("tags", ["cat|bench", "", "hot dog"])]


def test_another_separator_stands_where_a_label_holds_the_sources() -> None:
    spaces = LabelForm("id", "labels", " ")
    assert label_columns(spaces, IDS, LABELS, CHOSEN)[1][1][0] == "cat|bench"
    assert spaces.separator_for(["a b", "c|d"]) == ";"
    with pytest.raises(InputError, match="--labels ids"):
        spaces.separator_for(["a b", "|;", ",/"])


def test_labels_are_lists_where_a_table_holds_them(tmp_path: Path) -> None:
    form = replace(FORM, as_lists=True)
    best, probabilities = [np.array([2, 0])], np.array([[0.25, 0.125, 0.5]])
    columns = top_columns(form, IDS[:1], LABELS, best, probabilities)
    assert columns[1:] == [("tags", [["bench", "cat"]]), ("probabilities", [[0.5, 0.25]])]
    columns = label_columns(form, IDS, LABELS, CHOSEN)
    assert columns[1] == ("tags", [["cat", "bench"], [], ["hot dog"]])
    pytest.importorskip("pyarrow")
    for suffix in HOLDING_LISTS:
        write_table(tmp_path / f"out{suffix}", columns)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["tags"] for line in lines] == columns[1][1]
    parquet = importlib.import_module("pyarrow.parquet")
    assert parquet.read_table(tmp_path / "out.pq").column("tags").to_pylist() == columns[1][1]


def test_a_source_with_a_column_for_each_label_gets_such() -> None:
    form = LabelForm("id", "labels", flag_prefix="is_")
    columns = label_columns(form, IDS, LABELS, CHOSEN)
    assert columns == [
        ("id", IDS),
        ("is_cat", [1, 0, 0]),
        ("is_hot dog", [0, 0, 1]),
        ("is_bench", [1, 0, 0]),
    ]


def test_a_source_with_a_row_for_each_label_gets_such() -> None:
    form = LabelForm("id", "label", has_row_per_label=True)
    columns = label_columns(form, IDS, LABELS, CHOSEN)
    assert columns == [("id", ["a.jpg", "a.jpg", "c.jpg"]), ("label", ["cat", "bench", "hot dog"])]


def test_probabilities_have_seven_digits() -> None:
    columns = probability_columns(FORM, IDS[:1], LABELS, np.array([[1 / 3, 1e-9 / 3, 1.0]]))
    assert columns[1:] == [("cat", [0.3333333]), ("hot dog", [3.333333e-10]), ("bench", [1.0])]


def test_the_best_labels_stand_beside_their_probabilities() -> None:
    probabilities = np.array([[0.25, 0.125, 0.5]])
    best = [np.array([2, 0])]
    assert top_columns(FORM, IDS[:1], LABELS, best, None)[1] == ("tags", ["bench|cat"])
    columns = top_columns(FORM, IDS[:1], LABELS, best, probabilities)
    assert columns[1:] == [("tags", ["bench|cat"]), ("probabilities", ["0.5|0.25"])]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    check_out(out)
    out.write_text("older")
    write_table(out, TABLE)
    assert read(out) == [
        {"id": "é", "n": "1", "p": "0.25"},
        {"id": 'a "b", c', "n": "0", "p": "1e-09"},
    ]
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_half_written_file_is_never_seen(tmp_path: Path, suffix: str) -> None:
    class Interrupted(list[str]):
        def __iter__(self) -> Iterator[str]:
            raise KeyboardInterrupt

    out = tmp_path / f"out{suffix}"
    out.write_text("older")
    with pytest.raises(KeyboardInterrupt):
        write_table(out, [("id", Interrupted(["a"]))])
    assert out.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_two_columns_of_one_name_are_refused_where_a_row_is_a_mapping(tmp_path: Path) -> None:
    columns: Columns = [("cat", ["a"]), ("cat", [0.5])]
    with pytest.raises(InputError, match=r"two columns .*'cat'"):
        write_table(tmp_path / "out.jsonl", columns)
    write_table(tmp_path / "out.csv", columns)
    assert (tmp_path / "out.csv").read_text() == "cat,cat\na,0.5\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "is a folder"), ("no/out.csv", "there is no folder"), ("out.xlsx", r"\*\.csv, \*\.tsv")],
)
def test_a_file_that_cannot_be_written_is_refused_before(
    tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        check_out(tmp_path / name)


def test_any_name_is_a_csv_file_where_it_always_was(tmp_path: Path) -> None:
    out = tmp_path / "submission"
    check_out(out, any_suffix=True)
    write_table(out, [("ImageID", ["a.jpg"])])
    assert out.read_text() == "ImageID\na.jpg\n"


@pytest.mark.parametrize("name", ["pipe.csv", "pipe"])
def test_a_pipe_is_written_to_and_stays(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    os.mkfifo(out)
    check_out(out)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(out.read_text()))
    reader.start()
    write_table(out, [("id", ["a.jpg"])])
    reader.join()
    assert read == ["id\na.jpg\n"]
    assert stat.S_ISFIFO(out.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_full_disk_leaves_the_older_file(small_disk: Path, suffix: str) -> None:
    out = small_disk / f"out{suffix}"
    out.write_text("older")
    chance = np.random.default_rng(0)
    columns: Columns = [("id", [str(value) for value in chance.random(200_000)])]
    with pytest.raises(InputError, match=r"cannot be written .*No space left"):
        write_table(out, columns)
    assert out.read_text() == "older"
    assert [path.name for path in small_disk.iterdir()] == [out.name]


def test_cells_that_a_spreadsheet_would_run_are_as_they_are(tmp_path: Path) -> None:
    # Ids must come back as they were read; docs/operations.md tells.
    write_table(tmp_path / "out.csv", [("id", ["=1+1", "+a", "-b", "@c"])])
    assert (tmp_path / "out.csv").read_text() == "id\n=1+1\n+a\n-b\n@c\n"
