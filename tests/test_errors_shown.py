"""Text of other people's: a terminal obeys nothing in it, and a spreadsheet runs nothing."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.errors import (
    JOINERS,
    first_line,
    printable,
    printable_lines,
    printable_message,
    say,
    spreadsheet_text,
    tell,
    unforeseen,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("one\ntwo\r\nthree\ttab", r"one\ntwo\r\nthree\ttab"),
        ("\x9b31m\x7f\x00", r"\x9b31m\x7f\x00"),
        ("a\u202egpj.exe\u2066\ufeff", r"a\u202egpj.exe\u2066\ufeff"),
        ("\udc80\u2028\u2029\u0085", r"\udc80\u2028\u2029\x85"),
        (
            "ä 猫\u3000\xa0 👩\u200d💻 \u0645\u06cc\u200c\u062e \\n",
            "ä 猫\u3000\xa0 👩\u200d💻 \u0645\u06cc\u200c\u062e \\n",
        ),
    ],
)
@pytest.mark.hostile("terminals, tables, pages")
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_nothing_printable_is_a_control(text: str) -> None:
    shown = printable(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in shown if unicodedata.category(c) == "Cf" and c not in JOINERS]
    assert printable(shown) == shown
    assert len(printable_lines(text).split("\n")) == text.count("\n") + 1


def test_the_lines_of_a_layout_stay_lines_and_others_do_not() -> None:
    assert (
        printable_message("a\nmmclf: b; expected\n  c\x1b\n  d")
        == "a\\nmmclf: b; expected\n  c\\x1b\n  d"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("\none\ntwo"), "one"),
        (ValueError("one"), "one"),
        (KeyError(), "KeyError"),
        (OSError(" \n"), "OSError"),
    ],
)
def test_an_errors_first_line_or_its_kind(error: Exception, line: str) -> None:
    assert first_line(error) == line


def test_an_unforeseen_errors_further_lines_are_indented() -> None:
    assert unforeseen(ValueError("one\ntwo\x1b\n")) == "ValueError: one\n  two\\x1b"


@pytest.mark.hostile("terminals, tables, pages")
def test_messages_and_results_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    tell("a\x1b[0m\nb")
    say("c\x07\nd")
    assert capsys.readouterr() == ("c\\x07\\nd\n", "mmclf: a\\x1b[0m\\nb\n")


def test_without_standard_streams_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    tell("a")
    say("a")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+a", "-b", "@SUM(A1)", " =1", "\t=1", "\n@a", "-1+1", "\uff1d1", "+1 to +2", "--"],
)
@pytest.mark.hostile("terminals, tables, pages")
def test_what_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    assert spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "a=1", "-", "-1", "+0.5", "-1e-9", "1+1", "'=1", "-inf", "loss=bce"]
)
def test_numbers_and_other_texts_are_left(text: str) -> None:
    assert spreadsheet_text(text) == text
