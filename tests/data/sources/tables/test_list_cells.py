from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming
from table_folders import label_sets, loaded, problems

from mmclf.data.sources.tables.list_cells import are_lists, list_items

FORMS: dict[str, Callable[[list[str]], str]] = {
    "python": repr,
    "json": json.dumps,
    "json, as it is": lambda items: json.dumps(items, ensure_ascii=False),
    "numpy": lambda items: str(np.array(items, dtype=object)),
    "numpy of strings": lambda items: str(np.array(items)),
}
ROWS = [["traffic light", "t-shirt"], ["it's", "dog"], ["dog"], ['12" disc', "a,b", "[x] y"]]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.parametrize("form", FORMS)
def test_lists_as_they_are_written(tmp_path: Path, form: str) -> None:
    rows = ROWS[:3]
    body = "".join(f"x,{quoted(FORMS[form](row))}\n" for row in rows)
    samples = loaded(tmp_path, "caption,labels\n" + body)
    assert label_sets(samples) == [set(row) for row in rows]
    assert any("lists" in note for note in samples.notes)


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), max_size=4
    ),
    st.sampled_from(["python", "json", "json, as it is", "numpy"]),
)
def test_any_list_is_read_back(items: list[str], form: str) -> None:
    text = FORMS[form](items)
    assert list_items(text) == tuple(items)


@given(st.lists(st.integers(), max_size=4), st.sampled_from([repr, json.dumps]))
def test_whole_numbers(items: list[int], form: Callable[[list[int]], str]) -> None:
    assert list_items(form(items)) == tuple(map(str, items))


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("['a' 'b']", ("a", "b")),
        ("['a'\n 'b']", ("a", "b")),
        ("[ 1 10  2]", ("1", "10", "2")),
        ("[]", ()),
        ("", ()),
        ("['a', None]", ("a", "")),
        ('["a", null]', ("a", "")),
        ("['a',]", ("a",)),
        (r'["\ud83d\ude00"]', ("\N{GRINNING FACE}",)),
        (r"['it\'s']", ("it's",)),
    ],
)
def test_lists(cell: str, items: tuple[str, ...]) -> None:
    assert list_items(cell) == items


@pytest.mark.parametrize(
    "cell",
    [
        "['a' 'b', 'c']",
        "['a'",
        "[a, b]",
        "[1.5, 2]",
        "['a', ['b']]",
        "['a'] + ['b']",
        "[__import__('os')]",
        "['a' ... 'b']",
        "{'a'}",
        "[f'a']",
        "a",
    ],
)
def test_what_is_no_list(cell: str) -> None:
    assert list_items(cell) is None


def test_a_column_is_of_lists_if_all_its_cells_are() -> None:
    assert are_lists(["['a']", "", " [1 2] "])
    assert not are_lists(["['a']", "b"])
    assert not are_lists(["", " "])


def test_a_cell_that_is_no_list_among_lists(tmp_path: Path) -> None:
    (problem, *_) = problems(tmp_path, "caption,labels\nx,['a']\ny,[b; c]\n")
    assert problem == Naming("line 3", "'labels'", "'[b; c]'")


@pytest.mark.parametrize("cell", ["['a'", "a]", "'a'", '"""a"""', "(a", "{a}", "`a`"])
def test_labels_with_brackets_or_quotes_at_an_end_are_refused(tmp_path: Path, cell: str) -> None:
    messages = problems(tmp_path, f"caption,labels\nx,b\ny,{cell}\n")
    assert [message for message in messages if "(line 3)" in message and "bracket" in message]


def test_brackets_that_belong_to_a_label(tmp_path: Path) -> None:
    content = 'caption,labels\nx,person (standing)|a [b] c\ny,"5"""\n'
    (problem,) = problems(tmp_path, content, separator="|")
    assert problem == Naming("1 labels", "'5\"'", "line 3")
    named = ["person (standing)", "a [b] c", '5"']
    samples = loaded(tmp_path, content, separator="|", labels=list(named))
    assert list(samples.label_ids) == named
