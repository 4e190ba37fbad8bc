from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming
from table_folders import loaded, problems

from mmclf.data.sources.tables.delimited import read_delimited
from mmclf.errors import InputError


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_the_delimiter_is_found_by_the_header(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = [["caption", "labels, all of them", "labels"], ["a;b", "1", "dog cat"], ["c|d", "", "x"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    samples = loaded(tmp_path, text.getvalue(), name)
    assert samples.captions == ("a;b", "c|d")
    assert samples.label_ids == ("cat", "dog", "x")


def test_the_usual_delimiter_wins_where_the_header_does_not_decide(tmp_path: Path) -> None:
    messages = problems(tmp_path, "captoin,lables;x;y\na,b\n")
    assert messages[0] == Naming("'caption'", "'captoin'")
    assert "lables;x;y" in messages[0]


def test_a_delimiter_that_is_given(tmp_path: Path) -> None:
    assert loaded(tmp_path, "caption^labels\na,b^x\n", delimiter="^").captions == ("a,b",)
    assert loaded(tmp_path, "caption\tlabels\na,b\tx\n", delimiter="tab").captions == ("a,b",)
    assert "has no column" in problems(tmp_path, "caption;labels\na;x\n", delimiter=",")[0]


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_what_is_no_delimiter(tmp_path: Path, delimiter: str) -> None:
    (problem,) = problems(tmp_path, "caption,labels\na,x\n", delimiter=delimiter)
    assert problem.startswith("data.delimiter")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "a", "b,c\n", '"d\ne",f\n', " "]),
        max_size=12,
    )
)
def test_records_are_those_of_the_csv_module(tmp_path: Path, pieces: list[str]) -> None:
    text = "x,y\n" + "".join(pieces)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        expected = rows[1:] if all(len(row) == 2 for row in rows) else None
    except csv.Error:
        expected = None
    try:
        actual = read_delimited(tmp_path / "t.csv", ".csv", ["x", "y"], delimiter=",").columns
        records = [list(row) for row in zip(actual["x"], actual["y"], strict=True)]
    except InputError:
        assert expected is None
    else:
        assert records == expected
