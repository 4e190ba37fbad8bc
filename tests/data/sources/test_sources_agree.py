"""The same samples out of every source: the competition's own, a table, and COCO's JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mmclf.data.samples import Samples
from mmclf.data.sources import coco, competition, table


@pytest.fixture
def original(real_data: Path) -> Samples:
    """The competition's own slice, its labels called as in MS COCO where spaces matter."""
    names = {"10": "traffic light", "11": "fire hydrant", "13": "stop-sign"}
    return competition.load(str(real_data), label_names=names)


def label_lists(samples: Samples, names: tuple[str, ...]) -> list[list[str]]:
    return [[names[j] for j in row.nonzero()[0]] for row in samples.labels]


def assert_same(samples: Samples, original: Samples) -> None:
    assert samples.captions == original.captions
    assert samples.label_names == original.label_names
    assert (samples.labels == original.labels).all()
    assert [path.name for path in samples.images] == list(original.ids)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table(original: Samples, tmp_path: Path, kind: str) -> None:
    labels = label_lists(original, original.label_names)
    frame = pd.DataFrame({"image": original.ids, "labels": labels, "caption": original.captions})
    if kind == "csv":
        frame["labels"] = ["|".join(row) for row in labels]
        frame.to_csv(tmp_path / "t.csv", index=False)
    else:
        frame.to_parquet(tmp_path / "t.parquet")
    names: list[str | int] = [*original.label_names]
    assert_same(table.load(str(tmp_path), f"t.{kind}", separator="|", labels=names), original)


def test_coco(original: Samples, tmp_path: Path) -> None:
    images = [{"id": i, "file_name": name} for i, name in enumerate(original.ids)]
    shown = [
        {"image_id": i, "category_id": int(label)}
        for i, row in enumerate(label_lists(original, original.label_ids))
        for label in row
    ]
    pairs = zip(original.label_ids, original.label_names, strict=True)
    categories = [{"id": int(one), "name": name} for one, name in pairs]
    captions = [
        {"id": 2 * i + late, "image_id": i, "caption": "another" if late else caption}
        for late in (1, 0)
        for i, caption in enumerate(original.captions)
    ]
    # Of a category that is not chosen, on an image that shows nothing else.
    images.append({"id": 9_000_000, "file_name": "sheep.jpg"})
    shown.append({"image_id": 9_000_000, "category_id": 20})
    categories.append({"id": 20, "name": "sheep"})
    tree = {"images": images, "annotations": shown[::-1], "categories": categories}
    (tmp_path / "i.json").write_text(json.dumps(tree))
    (tmp_path / "c.json").write_text(json.dumps({"annotations": captions}))
    chosen: list[int | str] = [i for i in range(1, 20) if i != 12]
    loaded = coco.load(str(tmp_path), "i.json", "c.json", "data", categories=chosen)
    assert_same(loaded, original)
    assert loaded.label_ids == original.label_ids
