from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from message_facts import Naming
from table_folders import label_sets

from mmclf.data.sources.table import load
from mmclf.errors import InputError

FRAME = pd.DataFrame(
    {"image": ["a", "b", "c"], "caption": ["x", "y", "z"], "labels": ["d", "e", "d e"]}
)


def write_shards(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for i in (1, 0, 2):
        FRAME.iloc[i : i + 1].to_parquet(folder / f"train-{i:05}-of-3.parquet")
    (folder / "README.md").write_text("no table")
    (folder / ".hidden.parquet").write_text("no table")


@pytest.mark.parametrize("name", ["shards", "shards/train-*.parquet", "shards/train-0000[012]-*"])
def test_shards_are_one_table(tmp_path: Path, name: str) -> None:
    write_shards(tmp_path / "shards")
    samples = load(str(tmp_path), name)
    assert samples.ids == ("a", "b", "c")
    assert label_sets(samples) == [{"d"}, {"e"}, {"d", "e"}]


def test_rows_of_shards_have_different_ids(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards")
    samples = load(str(tmp_path), "shards", image_column=None)
    assert samples.ids == tuple(f"shards/train-0000{i}-of-3.parquet:1" for i in range(3))
    bad = FRAME.iloc[1:2].assign(labels="")
    bad.to_parquet(tmp_path / "shards" / "train-00001-of-3.parquet")
    with pytest.raises(InputError, match=r"\(train-00001-of-3\.parquet row 1\)"):
        load(str(tmp_path), "shards")


def test_no_file_of_a_pattern(tmp_path: Path) -> None:
    for name in ("train-*.parquet", "empty", "gone.csv"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(InputError, match=r"^data\.file: there is no "):
            load(str(tmp_path), name)


PARTS = {"train": "a.csv", "validation": "b.csv", "test": "c.csv"}


def write_parts(folder: Path, test: pd.DataFrame | None = None) -> None:
    for i, name in enumerate(PARTS.values()):
        FRAME.iloc[i : i + 1].to_csv(folder / name, index=False)
    if test is not None:
        test.to_csv(folder / "c.csv", index=False)


def test_a_file_for_each_part(tmp_path: Path) -> None:
    write_parts(tmp_path)
    samples = load(str(tmp_path), files=PARTS)
    assert samples.ids == ("a", "b", "c")
    assert samples.own_val.tolist() == [False, True, False]
    assert samples.own_test.tolist() == [False, False, True]


@pytest.mark.parametrize("labels", [None, [""], ["d"]])
def test_a_test_file_without_labels_is_left_out(tmp_path: Path, labels: list[str] | None) -> None:
    test = FRAME.iloc[2:].drop(columns="labels")
    write_parts(tmp_path, test.assign(labels=labels) if labels is not None else test)
    samples = load(str(tmp_path), files=PARTS)
    assert samples.ids == (("a", "b", "c") if labels == ["d"] else ("a", "b"))
    assert bool(samples.notes) == (labels != ["d"])


def test_label_columns_that_the_test_file_lacks(tmp_path: Path) -> None:
    pd.DataFrame({"caption": ["x", "y"], "is_a": [1, 0], "is_b": [1, 1]}).to_csv(
        tmp_path / "a.csv", index=False
    )
    pd.DataFrame({"caption": ["z"]}).to_csv(tmp_path / "c.csv", index=False)
    files = {"train": "a.csv", "test": "c.csv"}
    samples = load(str(tmp_path), files=files, image_column=None, label_columns="is_*")
    assert (samples.ids, samples.label_ids) == (("a.csv:2", "a.csv:3"), ("a", "b"))
    with pytest.raises(InputError, match=r"c\.csv .*'is_'"):
        load(
            str(tmp_path),
            files={"train": "a.csv", "val": "c.csv"},
            image_column=None,
            label_columns="is_*",
        )


def test_ids_are_unique_over_all_files(tmp_path: Path) -> None:
    write_parts(tmp_path, FRAME.iloc[:1])
    with pytest.raises(InputError, match="'a' stands twice"):
        load(str(tmp_path), files=PARTS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, Naming("data.file", "data.files", "neither")),
        ({"file": "a.csv", "files": PARTS}, Naming("data.file", "data.files", "both")),
        (
            {"files": {"tset": "a.csv"}},
            Naming("data.files.tset", "'test'"),
        ),
        ({"files": {"test": "d.csv"}}, Naming("data.files.test", "d.csv")),
        ({"files": PARTS, "split_column": "image"}, Naming("data.files", "data.split_column")),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, arguments: dict[str, Any], words: Naming) -> None:
    write_parts(tmp_path)
    with pytest.raises(InputError) as caught:
        load(str(tmp_path), **arguments)
    assert str(caught.value) == words
