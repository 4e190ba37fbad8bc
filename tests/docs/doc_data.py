"""A small data set in every layout that the documentation names, below a folder called DIR."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

SAMPLES = 30
CAPTIONS = ("a person on a bicycle", "a car and a person", "a dog beside a bicycle")
# The labels of each caption, by the names and by the competition's ids.
LABELS = (("person", "bicycle"), ("person", "car"), ("bicycle", "dog"))
Rows = Sequence[tuple[str, Sequence[str], str]]
IDS = {"person": 1, "bicycle": 2, "car": 3, "dog": 18}


def write_data(folder: Path) -> None:
    """Write `DIR`, with a competition, a table and COCO's annotations in it, and `cat.jpg`."""
    root = folder / "DIR"
    (root / "data").mkdir(parents=True)
    (root / "annotations").mkdir()
    for part in ("train2017", "val2017"):
        (root / part).symlink_to(root / "data")
    drawn = np.random.default_rng(0)
    for i in range(SAMPLES):
        pixels = drawn.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "data" / f"{i}.jpg")
    Image.open(root / "data" / "0.jpg").save(folder / "cat.jpg")
    rows = [(f"{i}.jpg", LABELS[i % 3], f"{CAPTIONS[i % 3]}, number {i}") for i in range(SAMPLES)]
    _write_tables(root, rows)
    _write_forms(root, rows)
    _write_coco(root, rows)


def _write_tables(root: Path, rows: Rows) -> None:
    with (root / "samples.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "path", "tags", "caption"])
        table.writerows(
            [f"data/{name}", f"data/{name}", "|".join(labels), text] for name, labels, text in rows
        )
    for name, part in (("train", rows[:-6]), ("test", rows[-6:])):
        with (root / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["ImageID", "Labels", "Caption"])
            table.writerows(
                [image, " ".join(str(IDS[label]) for label in labels), text]
                for image, labels, text in part
            )


def _write_forms(root: Path, rows: Rows) -> None:
    """The tables of the section on the forms that people have."""
    names = sorted({label for _, labels, _ in rows for label in labels})
    columns = ["is_" + name for name in names]
    plain = [[name, text, " ".join(labels)] for name, labels, text in rows]
    numbered = [[name, text, f"again {text}", " ".join(labels)] for name, labels, text in rows]
    tables: dict[str, list[list[str]]] = {
        "one_hot.csv": [
            ["image", "caption", *columns],
            *(
                [name, text, *(str(int(label in labels)) for label in names)]
                for name, labels, text in rows
            ),
        ],
        "lists.csv": [
            ["image", "caption", "labels"],
            *([name, text, repr(list(labels))] for name, labels, text in rows),
        ],
        "long.csv": [
            ["image", "caption", "labels"],
            *([name, text, label] for name, labels, text in rows for label in labels),
        ],
        "five.csv": [
            ["id", "image", "caption", "labels"],
            *([row[0], *row] for row in plain for _ in range(2)),
        ],
        "numbered.csv": [["image", "caption_1", "caption_2", "labels"], *numbered],
        "patients.csv": [
            ["image", "caption", "labels", "patient"],
            *([*row, f"p{i // 2}"] for i, row in enumerate(plain)),
        ],
        "some.csv": [["image", "caption", "labels"], *plain[:-1], [*plain[-1][:2], ""]],
        "names.csv": [
            ["image", "caption", "labels"],
            *([row[0].removesuffix(".jpg"), *row[1:]] for row in plain),
        ],
        "a.csv": [["image", "caption", "labels"], *plain[:-8]],
        "b.csv": [["image", "caption", "labels"], *plain[-8:-4]],
        "c.csv": [["image", "caption", "labels"], *plain[-4:]],
    }
    for name, table in tables.items():
        with (root / name).open("w", newline="") as file:
            csv.writer(file).writerows(table)
    _write_shards(root, rows)
    with (root / "excel.csv").open("w", newline="", encoding="utf-16") as file:
        csv.writer(file, delimiter=";").writerows([["image", "caption", "labels"], *plain])


def _write_shards(root: Path, rows: Rows) -> None:
    """Parquet files with the images inside."""
    (root / "shards").mkdir()
    inside = [
        {
            "image": {"bytes": (root / "data" / name).read_bytes(), "path": name},
            "caption": text,
            "labels": list(labels),
        }
        for name, labels, text in rows
    ]
    for name, part in (
        ("train-0", inside[:10]),
        ("train-1", inside[10:24]),
        ("test-0", inside[24:]),
    ):
        pd.DataFrame(part).to_parquet(root / "shards" / f"{name}.parquet")


def _write_coco(root: Path, rows: Rows) -> None:
    images = [{"id": i, "file_name": name} for i, (name, _, _) in enumerate(rows)]
    boxes = [
        {"image_id": i, "category_id": IDS[label]}
        for i, (_, labels, _) in enumerate(rows)
        for label in labels
    ]
    captions = [{"id": i, "image_id": i, "caption": text} for i, (_, _, text) in enumerate(rows)]
    head = {
        "images": images,
        "categories": [{"id": number, "name": name} for name, number in IDS.items()],
    }
    split = [
        {
            "cocoid": i,
            "filename": name,
            "split": "test" if i >= len(rows) - 6 else "train",
            "sentences": [{"raw": text}, {"raw": f"again {text}"}],
        }
        for i, (name, _, text) in enumerate(rows)
    ]
    trees = {
        "annotations/instances_train2017": head | {"annotations": boxes},
        "annotations/captions_train2017": {"annotations": captions},
        "annotations/both": head | {"annotations": [*boxes, *captions]},
        "annotations/instances_val2017": head | {"images": [], "annotations": []},
        "dataset_coco": {"images": split},
    }
    for name, tree in trees.items():
        (root / f"{name}.json").write_text(json.dumps(tree))
