from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from message_facts import Naming
from table_folders import label_sets, loaded, problems

from mmclf.data.sources.table import load

BODY = "caption,cat,dog,bird\na,1,0,0\nb,0,1,1\n"


def test_columns_by_name_in_the_order_asked(tmp_path: Path) -> None:
    samples = loaded(tmp_path, BODY, label_columns=["cat", "bird", "dog"])
    assert samples.label_ids == samples.label_names == ("cat", "bird", "dog")
    assert samples.labels.tolist() == [[1, 0, 0], [0, 1, 1]]


def test_columns_by_prefix_are_named_without_it_in_the_files_order(tmp_path: Path) -> None:
    content = "is_b,caption,is_a,other\n1,x,1,9\n1,y,0,9\n"
    samples = loaded(tmp_path, content, label_columns="is_*")
    assert samples.label_ids == ("b", "a")
    assert samples.labels.tolist() == [[1, 1], [1, 0]]


def test_a_column_that_is_called_so_is_no_prefix(tmp_path: Path) -> None:
    samples = loaded(tmp_path, "caption,is_*,is_a\nx,1,0\n", label_columns=["is_*"])
    assert samples.label_ids == ("is_*",)


@pytest.mark.parametrize(
    ("one", "zero"),
    [("1", "0"), ("true", "False"), ("YES", "no"), ("1.0", "0.0"), (" 1", "0 "), ("TRUE", "0")],
)
def test_values(tmp_path: Path, one: str, zero: str) -> None:
    content = f"caption,cat,dog\na,{one},{zero}\nb,{zero},{one}\n"
    assert loaded(tmp_path, content, label_columns=["cat", "dog"]).labels.tolist() == [
        [1, 0],
        [0, 1],
    ]


def test_a_row_of_other_values_is_not_also_called_unlabelled(tmp_path: Path) -> None:
    messages = problems(tmp_path, "caption,a,b\nx,1,0\ny,2,0\n", label_columns=["a", "b"])
    assert len(messages) == 1


@pytest.mark.parametrize("value", ["2", "-1", "0.5", "x", "nan", "on", "01"])
def test_another_value_is_named_with_line_and_column(tmp_path: Path, value: str) -> None:
    (problem,) = problems(
        tmp_path, f'caption,cat,dog\n"a\nb",1,0\nb,1,{value}\n', label_columns=["cat", "dog"]
    )
    assert problem == Naming("1 cells", repr(value), "'dog'", "line 4")


def test_an_empty_cell_beside_others_is_another_value(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "caption,a,b\nx,1,\n", label_columns=["a", "b"])
    assert problem == Naming("''", "'b'", "line 2")


def test_rows_of_zeros_and_empty_rows_have_no_labels(tmp_path: Path) -> None:
    content = "caption,a,b\nx,1,0\ny,0,0\nz,,\n"
    (problem,) = problems(tmp_path, content, label_columns=["a", "b"])
    assert problem == Naming("2 of 3", "labels", "line 3", "line 4")
    kept = loaded(tmp_path, content, label_columns=["a", "b"], unlabelled="keep")
    assert kept.labels.tolist() == [[1, 0], [0, 0], [0, 0]]


def test_parquet_of_truth_values_and_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"caption": ["x", "y"], "a": [True, False], "b": [0.0, 1.0], "c": [1, 1], "d": ["yes", "0"]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    samples = load(
        str(tmp_path), "t.parquet", image_column=None, label_columns=["a", "b", "c", "d"]
    )
    assert samples.labels.tolist() == [[1, 0, 1, 1], [0, 1, 1, 0]]


@pytest.mark.parametrize("values", [[2, 1], [0.5, 1.0], [[1], [0]], [None, 1]])
def test_parquet_of_other_values(tmp_path: Path, values: list[object]) -> None:
    frame = pd.DataFrame({"caption": ["x", "y"], "a": [1, 1], "b": values})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(Exception, match=r"1 cells|2 cells") as caught:
        load(str(tmp_path), "t.parquet", image_column=None, label_columns=["a", "b"])
    assert str(caught.value) == Naming("'b'", "row 1")


def test_labels_in_the_order_wanted_may_name_more_but_not_less(tmp_path: Path) -> None:
    samples = loaded(
        tmp_path, BODY, label_columns=["cat", "dog", "bird"], labels=["fox", "dog", "cat", "bird"]
    )
    assert label_sets(samples) == [{"cat"}, {"dog", "bird"}]
    assert samples.label_ids == ("fox", "dog", "cat", "bird")
    (problem,) = problems(tmp_path, BODY, label_columns=["cat", "dog"], labels=["cat"])
    assert "unknown labels: 'dog'" in problem


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["cat", "dgo"], Naming("'dgo'", "'dog'")),
        ("dog_*", Naming("'dog_'")),
    ],
)
def test_columns_that_there_are_not(
    tmp_path: Path, columns: list[str] | str, words: Naming
) -> None:
    (problem,) = problems(tmp_path, BODY, label_columns=columns)
    assert problem == words


def test_both_settings_of_labels_are_one_too_many(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BODY, label_columns=["cat"], label_column="dog")
    assert "data.label_column and data.label_columns" in problem


def test_labels_that_are_called_alike(tmp_path: Path) -> None:
    content = "caption,Cat,cat\nx,1,0\ny,1,1\n"
    samples = loaded(tmp_path, content, label_columns=["Cat", "cat"])
    assert samples.label_ids == ("Cat", "cat")
    assert any("'Cat' and 'cat'" in note for note in samples.notes)
    (problem,) = problems(tmp_path, content, label_columns=["Cat", "cat"], label_case="lower")
    assert problem == Naming("'cat'", "twice")
