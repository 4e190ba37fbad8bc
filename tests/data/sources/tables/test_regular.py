from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmclf.data.sources.tables.regular import regular_text

PIECES = ['"', '""', ",", ",", "\n", "\n", "\r\n", "\r", "a", "bc", '"d\ne"', '"f,""g"', "é", " "]


def records(text: str) -> list[list[str]] | None:
    """The records by the csv module without empty lines, or None if it refuses the text."""
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return None


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
@example('a,b\n"c""",d\n')
@example('"a"\r\n')
@example("\n")
@example("")
def test_fields_are_those_of_the_csv_module_or_left_to_it(text: str) -> None:
    regular = regular_text(text.encode(), ",")
    if regular is None:
        return
    columns = [regular.column(place) for place in range(len(regular.header))]
    rows = [list(row) for row in zip(*columns, strict=True)]
    assert [regular.header, *rows] == records(text)


@given(
    st.lists(
        st.lists(st.text('ab",\n é', max_size=4), min_size=3, max_size=3), min_size=1, max_size=5
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_regular(rows: list[list[str]], end: str) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    regular = regular_text(text.getvalue().encode(), ",")
    assert regular is not None
    assert regular.header == rows[0]
    for place in range(3):
        assert list(regular.column(place)) == [row[place] for row in rows[1:]]


def test_lines_where_rows_begin() -> None:
    regular = regular_text(b'x,y\n1,2\n"a\nb\r\n",3\n4,5', ",")
    assert regular is not None
    assert regular.numbers.tolist() == [2, 3, 6]
    assert regular.column(0) == ["1", "a\nb\r\n", "4"]
    assert regular.column(1) == "235"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x,y\n1\n",
        b"x,y\n1,2,3\n",
        b"x,y\n\n1,2\n",
        b"x\n\n",
        b'x,y\n1,a"b"\n',
        b'x,y\n1,"a" \n',
        b'x,y\n1,"a\n',
        b"x,y\r1,2\r",
        b"x,y\n1,\xff\n",
        b"x,y\n1," + b"a" * 131_073 + b"\n",
    ],
)
def test_what_is_left_to_the_csv_module(data: bytes) -> None:
    assert regular_text(data, ",") is None
