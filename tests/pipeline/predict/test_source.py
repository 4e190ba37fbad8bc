"""What each source reads to predict for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mmclf.data.image_locations import ParquetCell
from mmclf.errors import InputError
from mmclf.pipeline.predict.source import COMPETITION, data_node, read_to_predict
from mmclf.storage.tracking import Tracker

SOURCE = """
import numpy as np

from mmclf.data.samples import Samples


def load(count: int) -> Samples:
    return Samples(
        ids=tuple(map(str, range(count))),
        images=(),
        captions=("a dog",) * count,
        labels=np.ones((count, 1), dtype=np.uint8),
        label_ids=("dog",),
        label_names=("dog",),
        own_val=np.zeros(count, dtype=np.bool_),
        own_test=np.zeros(count, dtype=np.bool_),
    )
"""
TABLE = {"_target_": "mmclf.data.sources.table.load", "separator": "|"}


def test_a_table_with_images_is_known_by_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,caption\na.jpg,one\n")
    node = TABLE | {"root": str(tmp_path), "file": "t.csv", "images": "pictures"}
    samples = read_to_predict(node, (), ())
    assert [*samples.ids] == ["a.jpg"]
    assert [*samples.captions] == ["one"]
    assert [*samples.images()] == [tmp_path / "pictures" / "a.jpg"]
    assert (samples.form.id_column, samples.form.label_column) == ("image", "labels")
    assert (samples.form.separator, samples.form.flag_prefix) == ("|", None)
    assert list(samples.notes) == []


def test_a_table_with_images_inside_is_known_by_their_names(tmp_path: Path) -> None:
    images = [{"bytes": b"x", "path": "a.jpg"}, {"bytes": None, "path": None}]
    pd.DataFrame({"image": images, "caption": ["one", "two"]}).to_parquet(tmp_path / "t.parquet")
    samples = read_to_predict(TABLE | {"root": str(tmp_path), "file": "t.parquet"}, (), ())
    assert [*samples.ids] == ["a.jpg", "t.parquet:2"]
    file = tmp_path / "t.parquet"
    assert [*samples.images()] == [
        ParquetCell(file, "image", row, name) for row, name in enumerate(samples.ids)
    ]


@pytest.mark.parametrize(
    ("columns", "prefix"),
    [("is_*", "is_"), (["cat", "dog"], ""), (["is_*"], "is_"), (["a_*", "b_*"], None)],
)
def test_a_table_with_a_column_for_each_label_is_read_without_them(
    tmp_path: Path, columns: object, prefix: str
) -> None:
    (tmp_path / "t.csv").write_text("key,caption\nk,one\n")
    node = TABLE | {"root": str(tmp_path), "file": "t.csv", "label_columns": columns}
    samples = read_to_predict(node, ("data.image_column=null", "data.id_column=key"), ())
    assert (samples.form.id_column, samples.form.flag_prefix) == ("key", prefix)
    assert [*samples.images()] == []


def test_rows_of_one_id_are_one_sample_where_each_is_a_label(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("key,caption,label\nk,one,a\nk,one,b\nl,two,a\n")
    settings = {"image_column": None, "id_column": "key", "label_column": "label"}
    node = TABLE | {"root": str(tmp_path), "file": "t.csv", "rows": "per_label"} | settings
    samples = read_to_predict(node, (), ())
    assert [*samples.ids] == ["k", "l"]
    assert samples.form.has_row_per_label


def test_all_captions_of_a_sample_are_read_where_the_run_used_each(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("key,caption\nk,one\nk,two\nl,three\n")
    settings = {"image_column": None, "id_column": "key", "caption_use": "each"}
    node = TABLE | {"root": str(tmp_path), "file": "t.csv"} | settings
    samples = read_to_predict(node, (), ())
    assert [*samples.ids] == ["k", "l"]
    assert [*samples.captions] == [("one", "two"), ("three",)]


def test_a_competitions_images_are_looked_for_when_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("ImageID,Caption\na.jpg,one\n")
    node = {"_target_": "mmclf.data.sources.competition.load", "root": str(tmp_path)}
    samples = read_to_predict(node, ("data.test_csv=new.csv", "data.images=pictures"), ())
    assert [*samples.ids] == ["a.jpg"]
    assert samples.form == COMPETITION
    with pytest.raises(InputError, match=r"data\.root: .* pictures"):
        samples.images()
    (tmp_path / "pictures").mkdir()
    assert [*samples.images()] == [tmp_path / "pictures" / "a.jpg"]


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"annotations": [{"id": 1, "image_id": 1, "category_id": 3}], "categories": [{"id": 3}]},
        {"annotations": "none", "categories": [{"id": 3, "name": "dog"}]},
    ],
)
def test_of_coco_the_labels_do_not_matter(tmp_path: Path, others: dict[str, Any]) -> None:
    instances = {"images": [{"id": 1, "file_name": "a.jpg"}]} | others
    (tmp_path / "i.json").write_text(json.dumps(instances))
    node = {
        "_target_": "mmclf.data.sources.coco.load",
        "root": str(tmp_path),
        "instances": "i.json",
        "captions": None,
        "images": "pictures",
    }
    samples = read_to_predict(node, (), ())
    assert [*samples.ids] == ["pictures/a.jpg"]
    assert (samples.form.id_column, samples.form.label_column) == ("image", "labels")
    with pytest.raises(InputError) as caught:
        read_to_predict(node, ("data.instances=none.json",), ())
    assert "data=table data.root=DIR" in caught.value.problems[-1]


def billions(lines: int) -> str:
    """YAML of a few lines that refer to each other: 10 to the power of `lines` values."""
    anchors = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    anchors += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, lines)]
    return "\n".join([*anchors, f"data: {{root: *l{lines - 1}}}", ""])


@pytest.mark.parametrize(
    "content", [billions(30), "[" * 100_000, "data: [", "data: 1", "\x00", "- a", "", "&a [*a]"]
)
def test_a_runs_configuration_that_is_damaged_is_a_line(tmp_path: Path, content: str) -> None:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "config.yaml").write_text(content)
    with tracker.run("a", {}, None) as log:
        log.artifacts(tmp_path / "files")
    with pytest.raises(InputError, match=r"config\.yaml is damaged"):
        data_node(tracker, log.id)


def test_cocos_captions_are_read_as_the_run_read_them(tmp_path: Path) -> None:
    captions = [{"id": i, "image_id": 1, "caption": text} for i, text in ((7, "b"), (3, "a"))]
    tree = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": captions}
    (tmp_path / "i.json").write_text(json.dumps(tree))
    node = {
        "_target_": "mmclf.data.sources.coco.load",
        "root": str(tmp_path),
        "instances": "i.json",
        "captions": "i.json",
        "images": "pictures",
        "caption_use": "each",
        "categories": ["dog"],
        "unlabelled": "drop",
    }
    assert [*read_to_predict(node, (), ()).captions] == [("a", "b")]


def test_of_a_source_of_ones_own_all_samples_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source_of_ones_own.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    node = {"_target_": "source_of_ones_own.load", "count": 2}
    samples = read_to_predict(node, ("data.count=3",), ("source_of_ones_own",))
    assert [*samples.ids] == ["0", "1", "2"]
    assert (samples.form.id_column, samples.form.label_column) == ("id", "labels")
