from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.samples import Samples
from mmclf.data.sources.table import load
from mmclf.data.sources.tables.reader import read_table
from mmclf.errors import InputError

# A value that drawn examples may share a folder of: each one writes its file anew.
SHARED_FOLDER = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of one's own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def parquet(folder: Path, table: dict[str, list[Any]], **arguments: Any) -> Samples:
    pd.DataFrame(table).to_parquet(folder / "t.parquet")
    return load(str(folder), "t.parquet", **arguments)


def parquet_finding(folder: Path, table: dict[str, list[Any]], **arguments: Any) -> str:
    with pytest.raises(InputError) as caught:
        parquet(folder, table, **arguments)
    (problem,) = caught.value.problems
    return problem


def test_parquet_with_lists_and_whole_numbers(folder: Path) -> None:
    samples = parquet(
        folder,
        {
            "image": ["a.jpg", "b.jpg"],
            "labels": [["traffic light", " a,b "], ["t-shirt"]],
            "caption": ["x", None],
            "id": [7, 8],
            "unread": [0.5, 1.5],
        },
        id_column="id",
    )
    assert samples.ids == ("7", "8")
    assert samples.captions == ("x", "")
    assert samples.label_ids == ("a,b", "t-shirt", "traffic light")
    numbers = parquet(folder, {"image": ["a", "b"], "labels": [[2, 10], [2]], "caption": ["", ""]})
    assert numbers.label_ids == ("2", "10")
    single = parquet(folder, {"image": ["a", "b"], "labels": [3, 1], "caption": ["", ""]})
    assert single.labels.tolist() == [[0, 1], [1, 0]]
    texts = parquet(folder, {"image": ["a"], "labels": ["x|y z"], "caption": [""]}, separator="|")
    assert texts.label_ids == ("x", "y z")


def test_parquet_rows_are_counted_from_one(folder: Path) -> None:
    table: dict[str, list[Any]] = {"image": ["a", "b", "c"], "labels": [["x"], [], None]}
    table["caption"] = ["", "", ""]
    problem = parquet_finding(folder, table)
    assert problem == Naming("t.parquet", "2 of 3", "labels", "row 2", "row 3")


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("caption", [{"b": "x"}, {"b": "y"}], Naming("row 1", "'caption'", "{'b': 'x'}")),
        ("caption", [0.5, 1.5], Naming("row 1", "'caption'", "0.5", "2")),
        ("labels", [[True], [False]], Naming("row 1", "'labels'", "[True]", "2")),
        ("labels", [[["a"]], [["b"]]], Naming("row 1", "'labels'", "[['a']]", "2")),
        ("labels", [1.0, None], Naming("row 1", "'labels'", "1.0")),
        ("image", [["a"], ["b"]], Naming("'image'", "lists", "texts")),
    ],
)
def test_parquet_columns_of_other_kinds(
    folder: Path, column: str, values: list[Any], words: Naming
) -> None:
    table: dict[str, list[Any]] = {"image": ["a", "b"], "labels": ["x", "y"], "caption": ["", ""]}
    assert parquet_finding(folder, table | {column: values}) == words


def test_parquet_that_is_damaged_or_lacks_a_column(folder: Path) -> None:
    table: dict[str, list[Any]] = {"image": ["a"], "labels": ["x"], "Caption": ["c"]}
    assert parquet_finding(folder, table) == Naming("'caption'", "'Caption'")
    path = folder / "t.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"t\.parquet cannot be read"):
        load(str(folder), "t.parquet")


def test_parquet_without_pyarrow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table: dict[str, list[Any]] = {"image": ["a"], "labels": ["x"], "caption": ["c"]}
    assert parquet(folder, table).ids == ("a",)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'mmclf\[parquet\]'"):
        load(str(folder), "t.parquet")


def test_a_folder_called_as_a_column_adds_none(folder: Path) -> None:
    (folder / "labels=z").mkdir()
    table = pd.DataFrame({"image": ["a"], "labels": ["x"], "caption": ["c"]})
    table.to_parquet(folder / "labels=z" / "t.parquet")
    assert load(str(folder), "labels=z/t.parquet").label_ids == ("x",)


def test_a_column_may_be_asked_for_twice(folder: Path) -> None:
    (folder / "t.tab").write_text("a\tb\n1\t2\n")
    table = read_table([folder / "t.tab"], ["b", "b"])
    assert (len(table), table.texts("b"), table.texts(None)) == (1, ["2"], [""])
    samples = parquet(
        folder, {"image": ["a"], "labels": ["x"], "caption": ["c"]}, id_column="image"
    )
    assert samples.ids == ("a",)


CAPTIONS = st.text(st.characters(codec="utf-8"), max_size=30)


@SHARED_FOLDER
@given(
    st.lists(st.one_of(CAPTIONS, st.text('"\n\r\t,; a', max_size=9)), min_size=1, max_size=5),
    st.sampled_from(["pandas", "csv", "tsv", "parquet"]),
)
def test_any_caption_written_is_read_back(folder: Path, captions: list[str], writer: str) -> None:
    table = pd.DataFrame(
        {"image": [f"{i}.jpg" for i in range(len(captions))], "labels": "x y", "caption": captions}
    )
    path = folder / f"t.{writer if writer in ('tsv', 'parquet') else 'csv'}"
    if writer == "pandas":
        # Unasked, pandas leaves a lone carriage return without quotes, which then ends a line.
        table.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    elif writer == "parquet":
        table.to_parquet(path)
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream, delimiter="\t" if writer == "tsv" else ",")
            out.writerows([table.columns, *table.itertuples(index=False)])
    assert load(str(folder), path.name).captions == tuple(captions)
