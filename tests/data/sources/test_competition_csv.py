from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.sources.competition_csv import CompetitionRow, read_rows, write_rows
from mmclf.errors import InputError

HEADER = "ImageID,Labels,Caption\n"
# A value that drawn examples may share a folder of: each one writes its file anew.
SHARED_FOLDER = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(folder: Path, content: str | bytes, header: str = HEADER) -> list[CompetitionRow]:
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else (header + content).encode())
    return read_rows(path)


def error_of(folder: Path, content: str | bytes, header: str = HEADER) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, content, header)
    message = str(caught.value)
    assert str(folder / "table.csv") in message
    return message


# Every body makes the file improper CSV, by the first record, so that it is read as handed out.
BROKEN = '9.jpg,1,"an "inner" quote"\n'


@pytest.mark.parametrize(
    ("body", "caption"),
    [
        pytest.param('1.jpg,1,"a plain one"\n', "a plain one", id="plain"),
        pytest.param('1.jpg,1,"a "stop" sign"\n', 'a "stop" sign', id="inside"),
        pytest.param('1.jpg,1,""stop" it says"\n', '"stop" it says', id="at-the-beginning"),
        pytest.param('1.jpg,1,"it says "stop""\n', 'it says "stop"', id="at-the-end"),
        pytest.param('1.jpg,1,""stop""\n', '"stop"', id="around"),
        pytest.param('1.jpg,1,"one quote " alone"\n', 'one quote " alone', id="single"),
        pytest.param('1.jpg,1,"two\nlines"\n', "two\nlines", id="line-break"),
        pytest.param('1.jpg,1,"two\n\nlines"\n', "two\n\nlines", id="empty-line-inside"),
        pytest.param('1.jpg,1,"ends with a break\n"\n', "ends with a break\n", id="break-at-end"),
        pytest.param('1.jpg,1,"a, b, "c", d"\n', 'a, b, "c", d', id="commas"),
        pytest.param('1.jpg,1,""\n', "", id="empty"),
        pytest.param("1.jpg,1,a plain one\n", "a plain one", id="unquoted"),
        pytest.param("1.jpg,1,a man, a dog\n", "a man, a dog", id="unquoted-comma"),
        pytest.param('1.jpg,1,"a"\n\n\n', "a", id="blank-lines-at-the-end"),
        pytest.param('1.jpg,1,"a"   \n', "a", id="spaces-at-the-end"),
        pytest.param('1.jpg,1,"a"', "a", id="no-line-end"),
        pytest.param(
            '1.jpg,1,"see\n2.jpg and\n3.j,"\n', "see\n2.jpg and\n3.j,", id="nearly-starts"
        ),
        pytest.param('1.jpg,1,"see\n 2.jpg,"\n', "see\n 2.jpg,", id="indented-start"),
        pytest.param('1.jpg,1,"see\n"2.jpg,"\n', 'see\n"2.jpg,', id="quoted-start"),
        pytest.param('1.jpg,1,"é 猫 🐈"\n', "é 猫 🐈", id="unicode"),
    ],
)
def test_captions_as_handed_out(tmp_path: Path, body: str, caption: str) -> None:
    first = CompetitionRow("9.jpg", ("1",), 'an "inner" quote', 2)
    assert read(tmp_path, BROKEN + body) == [first, CompetitionRow("1.jpg", ("1",), caption, 3)]


@pytest.mark.parametrize("header", ["ImageID,Labels,Caption", "\ufeffImageID,Labels,Caption"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("caption", ["a cat", 'a "b" c'])
def test_line_ends_and_byte_order_mark(tmp_path: Path, header: str, end: str, caption: str) -> None:
    body = f'0.jpg,1 19,"{caption}"{end}1.jpg,3,"two{end}lines"{end}{end}'
    rows = read(tmp_path, body, header + end)
    assert rows == [
        CompetitionRow("0.jpg", ("1", "19"), caption, 2),
        CompetitionRow("1.jpg", ("3",), f"two{end}lines", 3),
    ]


def test_proper_csv_has_its_doubled_quotes_undone(tmp_path: Path) -> None:
    body = '0.jpg,1,"a ""stop"" sign"\n1.jpg,2,"""b""\n7.jpg,1,""c"""\n\n2.jpg,3,plain\n'
    assert read(tmp_path, body) == [
        CompetitionRow("0.jpg", ("1",), 'a "stop" sign', 2),
        CompetitionRow("1.jpg", ("2",), '"b"\n7.jpg,1,"c"', 3),
        CompetitionRow("2.jpg", ("3",), "plain", 6),
    ]


@pytest.mark.parametrize("quoting", [0, 1, 2])
def test_what_pandas_writes(tmp_path: Path, quoting: int) -> None:
    captions = ['a "stop" sign', "two\nlines", "a, b", "", '"']
    table = pd.DataFrame(
        {"ImageID": [f"{i}.png" for i in range(5)], "Labels": "3 1", "Caption": captions}
    )
    table.to_csv(tmp_path / "table.csv", index=False, quoting=quoting)  # type: ignore[call-overload]
    rows = read_rows(tmp_path / "table.csv")
    assert [row.caption for row in rows] == captions
    assert [row.id for row in rows] == list(table["ImageID"])
    assert {row.labels for row in rows} == {("3", "1")}
    assert [row.line for row in rows] == [2, 3, 5, 6, 7]


@pytest.mark.parametrize("first", ["", '9.jpg,"an "inner" quote"\n'])
def test_labels_as_words_and_files_without_labels(tmp_path: Path, first: str) -> None:
    named = read(tmp_path, BROKEN + '1.jpg,cat stop_sign,"a"\n2.jpg,,"b"\n')
    assert [row.labels for row in named] == [("1",), ("cat", "stop_sign"), ()]
    bare = read(tmp_path, first + '1.jpg,"a, b"\n', "ImageID,Caption\n")
    assert (bare[-1].labels, bare[-1].caption) == (None, "a, b")


@pytest.mark.parametrize(
    ("body", "line", "found"),
    [
        pytest.param('1.jpg,1,"a man rid', 3, '1.jpg,1,"a man rid', id="in-the-caption"),
        pytest.param('1.jpg,1,"', 3, '1.jpg,1,"', id="at-the-first-quote"),
        pytest.param("1.jpg,1", 3, "1.jpg,1", id="in-the-labels"),
        pytest.param("1.jpg,", 3, "1.jpg,", id="after-the-id"),
        pytest.param('1.jpg,1,"two\nli', 3, '1.jpg,1,"two\\nli', id="in-the-second-line"),
    ],
)
@pytest.mark.parametrize("before", [BROKEN, '9.jpg,1,"a sound record"\n'])
def test_a_record_cut_off(tmp_path: Path, before: str, body: str, line: int, found: str) -> None:
    message = error_of(tmp_path, before + body)
    assert message == Naming(f"line {line}", f"'{found}'")
    assert 'expected ImageID,Labels,"Caption"' in message


def test_a_record_broken_by_what_looks_like_the_next(tmp_path: Path) -> None:
    open_end = error_of(tmp_path, BROKEN + '1.jpg,1,a "b\n2.jpg,1,"c"\n')
    assert open_end == Naming("line 3", "'1.jpg,1,a \"b'")
    in_caption = error_of(tmp_path, BROKEN + '1.jpg,1,"c\nd.jpg, e"\n')
    assert in_caption == Naming("line 3", "'1.jpg,1,\"c'")


@pytest.mark.parametrize("before", [BROKEN, '9.jpg,1,"a"\n'])
def test_a_cut_id_belongs_to_no_record(tmp_path: Path, before: str) -> None:
    assert "line 2: found '9.jpg,1," in error_of(tmp_path, before + "1.jp")


def test_lines_are_counted_through_captions_of_several_lines(tmp_path: Path) -> None:
    message = error_of(tmp_path, BROKEN + '1.jpg,1,"a\nb\nc"\n\n2.jpg,1,"d\n')
    assert "line 7: found '2.jpg,1,\"d'" in message


def test_an_unquoted_caption_of_several_lines(tmp_path: Path) -> None:
    message = error_of(tmp_path, BROKEN + "1.jpg,1,a\nb\n")
    assert message == Naming("line 3", "1.jpg", "several lines", '"Caption"')


@pytest.mark.parametrize("header", ["", "id,labels,text\n", "ImageID,Labels\n", "0.jpg,1,x\n"])
def test_another_header(tmp_path: Path, header: str) -> None:
    message = error_of(tmp_path, '0.jpg,1,"a"\n' if header else "", header)
    valid = "'ImageID,Labels,Caption'", "'ImageID,Caption'"
    assert message == Naming("line 1", repr(header.strip()), *valid)


def test_text_before_the_first_record(tmp_path: Path) -> None:
    message = error_of(tmp_path, "\nnot a record\n" + BROKEN)
    assert message == Naming("line 2", "'not a record'")
    assert "17.jpg," in message
    assert "found ',1,a'" in error_of(tmp_path, ",1,a\n")


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    message = error_of(tmp_path, HEADER.encode() + b'0.jpg,1,"a"\n1.jpg,1,"caf\xe9"\n')
    assert message == Naming("line 3", "0xe9", "UTF-8")


@pytest.mark.parametrize("content", [HEADER, HEADER.strip(), HEADER + "\n\n", HEADER + " \n"])
def test_a_header_alone_is_no_rows(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content.encode()) == []


IDS = st.from_regex(r"\A[0-9a-z_]{1,6}\.(jpg|png|webp)\Z")
LABELS = st.lists(st.sampled_from(["1", "2", "19", "stop_sign"]), max_size=3)
NASTY = st.text(alphabet='"\n\r, ab1.jpg', max_size=25)


@SHARED_FOLDER
@given(st.lists(st.tuples(IDS, LABELS, st.one_of(st.text(), NASTY)), max_size=5), st.booleans())
def test_any_caption_written_is_read_back(
    tmp_path: Path, records: list[tuple[str, list[str], str]], labelled: bool
) -> None:
    path = tmp_path / "written.csv"
    write_rows(path, [(one, labels if labelled else None, text) for one, labels, text in records])
    actual = [(row.id, row.labels, row.caption) for row in read_rows(path)]
    nothing = () if labelled else None
    wanted = [(one, tuple(some) if labelled else nothing, text) for one, some, text in records]
    assert actual == wanted


PIECES = st.lists(
    st.sampled_from(['"', ",", "\n", "\r", "1.jpg,", "a", " ", "\0", "é"]), max_size=30
)


@SHARED_FOLDER
@given(
    st.one_of(
        st.binary(max_size=60),
        st.binary(max_size=60).map(lambda b: HEADER.encode() + b),
        PIECES.map(lambda pieces: (HEADER + "".join(pieces)).encode()),
    )
)
def test_any_bytes_are_rows_or_an_input_error(tmp_path: Path, content: bytes) -> None:
    rows: list[CompetitionRow] = []
    with contextlib.suppress(InputError):
        rows = read(tmp_path, content)
    assert all(row.id and row.line >= 2 for row in rows)


@pytest.mark.parametrize(
    ("name", "first", "count"), [("train.csv", 0, 25_000), ("test.csv", None, 10_000)]
)
def test_the_tables_as_handed_out(
    real_data: Path, name: str, first: int | None, count: int
) -> None:
    path = real_data / "raw" / name
    rows = read_rows(path)
    assert len(rows) == count
    if first is not None:
        assert [row.id for row in rows] == [f"{i}.jpg" for i in range(count)]
    # Independently, line by line: a line that starts as 17.jpg, starts a record, and what the rows
    # hold must make up the whole text again, to the last quote.
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    assert sum(re.match(r"\d+\.jpg,", line) is not None for line in lines) == count
    labels = ["" if row.labels is None else " ".join(row.labels) + "," for row in rows]
    again = [f'{row.id},{some}"{row.caption}"' for row, some in zip(rows, labels, strict=True)]
    assert "\n".join(again) == "\n".join(lines).rstrip("\n")
    several = [row for row in rows if "\n" in row.caption]
    assert (
        sum(row.caption.count("\n") for row in several) == len("\n".join(again).split("\n")) - count
    )
    assert (len(several) > 0) == (name == "train.csv")
    assert all(lines[row.line - 2].startswith(f"{row.id},") for row in rows)


def test_quotes_in_real_captions_are_kept_in_pairs(real_data: Path) -> None:
    rows = read_rows(real_data / "raw" / "train.csv")
    quoted = [row.caption for row in rows if '"' in row.caption]
    lone = [text for text in quoted if text.startswith('"') and text.count('"') == 1]
    assert len(quoted) > 10
    assert lone == []


@pytest.mark.parametrize("odd", ["my dog.jpg", "0002", "2.jp2", "photo"])
def test_a_record_with_an_odd_name_does_not_vanish_into_the_caption_before(
    tmp_path: Path, odd: str
) -> None:
    path = tmp_path / "train.csv"
    rows = f'1.jpg,1,"a "big" cat"\n{odd},2,"a dog"\n3.jpg,1,"x"\n'
    path.write_text("ImageID,Labels,Caption\n" + rows)
    with pytest.raises(InputError, match=rf"line 3\W.*'{odd},2"):
        read_rows(path)


def test_proper_csv_may_have_names_of_any_kind(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text('ImageID,Labels,Caption\nmy dog.jpg,2,"a dog"\n0002,1, "two"\n')
    actual = [(row.id, row.labels, row.caption) for row in read_rows(path)]
    assert actual == [("my dog.jpg", ("2",), "a dog"), ("0002", ("1",), "two")]


def test_a_caption_too_long_for_a_field_is_refused_and_not_garbled(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    write_rows(path, [("1.jpg", ["1"], "a"), ("2.jpg", ["1"], '"' + "b" * 140_000)])
    with pytest.raises(InputError, match=r"line 3\W.*2\.jpg\W.*14000\d"):
        read_rows(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=Naming("gone.csv", os.strerror(errno.ENOENT)).pattern):
        read_rows(tmp_path / "gone.csv")
