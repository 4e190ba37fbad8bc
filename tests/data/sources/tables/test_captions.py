from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from table_folders import loaded, problems

from mmclf.data.sources.table import load

COLUMNS = "caption_1,caption_2,other,caption_3,labels\na,b,-,c,dog\nd,,-,e,cat\n,,-,,dog\n"
USES = [
    (None, ("a", "d", ""), ()),
    ("first", ("a", "d", ""), ()),
    ("join", ("a b c", "d e", ""), ()),
    ("each", ("a", "d", ""), (("b", "c"), ("e",), ())),
]


@pytest.mark.parametrize(("use", "captions", "others"), USES)
@pytest.mark.parametrize("columns", ["caption_*", ["caption_1", "caption_2", "caption_3"]])
def test_several_columns(
    tmp_path: Path, columns: Any, use: str | None, captions: Any, others: Any
) -> None:
    samples = loaded(tmp_path, COLUMNS, caption_columns=columns, caption_use=use)
    assert (samples.captions, samples.other_captions) == (captions, others)
    notes = [note for note in samples.notes if "3 captions after the first of 2 samples" in note]
    assert len(notes) == (use in (None, "first"))


@pytest.mark.parametrize(("use", "captions", "others"), USES)
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_lists(tmp_path: Path, kind: str, use: Any, captions: Any, others: Any) -> None:
    lists = [["a", "b", "c"], ["d", " ", "e"], []]
    table = pd.DataFrame({"caption": lists, "labels": ["dog", "cat", "dog"]})
    if kind == "parquet":
        table.to_parquet(tmp_path / "t.parquet")
    elif kind == "csv":
        table.to_csv(tmp_path / "t.csv", index=False)
    else:
        table.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    samples = load(str(tmp_path), f"t.{kind}", image_column=None, caption_use=use)
    assert (samples.captions, samples.other_captions) == (captions, others)


@pytest.mark.parametrize(("use", "captions", "others"), USES[1:])
def test_several_rows_of_an_id(tmp_path: Path, use: Any, captions: Any, others: Any) -> None:
    content = "id,caption,labels\n1,a,x\n2,d,y\n1,b,x\n3,,x\n2,e,y\n1,c,x\n1,a,x\n"
    samples = loaded(tmp_path, content, id_column="id", caption_use=use)
    assert samples.ids == ("1", "2", "3")
    assert (samples.captions, samples.other_captions) == (captions, others)


def test_a_row_for_each_label_with_captions_that_differ(tmp_path: Path) -> None:
    content = "id,caption,labels\n1,a,x\n1,b,y\n"
    (problem,) = problems(tmp_path, content, id_column="id", rows="per_label")
    assert "data.caption_use" in problem
    samples = loaded(tmp_path, content, id_column="id", rows="per_label", caption_use="first")
    assert (samples.captions, samples.labels.tolist()) == (("a",), [[1, 1]])


def test_captions_in_brackets_that_are_no_lists_stay(tmp_path: Path) -> None:
    content = "caption,labels\n[inaudible],x\n[music],x\n"
    assert loaded(tmp_path, content).captions == ("[inaudible]", "[music]")


def test_captions_that_repeat_under_ids_of_their_own_stay(tmp_path: Path) -> None:
    content = "id,caption,labels\n1,a,x\n2,a,x\n"
    assert loaded(tmp_path, content, id_column="id", caption_use="join").captions == ("a", "a")


def test_both_settings_of_captions_are_one_too_many(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, COLUMNS, caption_columns="caption_*", caption_column="other")
    assert "data.caption_column and data.caption_columns" in problem
