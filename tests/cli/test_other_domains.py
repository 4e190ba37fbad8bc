"""Data of forms that nobody here made, from the file to predictions, by settings alone."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker

pytestmark = pytest.mark.slow

CAPTIONS = 5
QUICK = ("trainer.epochs=2", "head.hidden=8", "image.size=32", "device=cpu")
PICTURES = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random")
LABELS = ("bare-ground", "blow down", "haze", "primary forest", "road", "slash-and-burn")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder `set` in it."""
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with Path("set", name).open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(header)
        table.writerows(rows)


def latest() -> tuple[str, dict[str, float]]:
    run = Tracker("sqlite:///outputs/mlflow.db", "mmclf", Path("outputs")).runs()[0]
    return run.id, dict(run.metrics)


def test_aerial_pictures_with_five_captions_each(folder: Path) -> None:
    draw, rows = random.Random(0), []
    Path("set/images").mkdir()
    for number in range(2_100):
        labels = draw.sample(LABELS, draw.choice([1, 2, 3]))
        colour = tuple(40 * LABELS.index(label) for label in (labels * 3)[:3])
        Image.new("RGB", (24, 24), colour).save(f"set/images/tile_{number:04d}.png")
        for caption in range(CAPTIONS):
            text = f"seen from above, {' and '.join(labels)}, take {caption}"
            rows.append([f"tile_{number:04d}", ", ".join(labels), text])
    write("tiles.csv", ["tile", "tags", "sentence"], rows)
    assert main(["data", "init", "set/tiles.csv", "--name", "tiles"]) == 0
    assert (
        main(
            [
                "--config-dir",
                "my_conf",
                "data=tiles",
                *PICTURES,
                "text=tfidf",
                *QUICK,
                "trainer.epochs=5",
            ]
        )
        == 0
    )
    run_id, metrics = latest()
    # Each label is a word of the caption.
    assert metrics["test/f1_samples"] > 0.6
    (predictions,) = folder.glob(f"outputs/artifacts/{run_id}/**/predictions/test.npz")
    with np.load(predictions) as test:
        assert abs(len(test["ids"]) - 210) <= 42
        assert len(set(test["ids"])) == len(test["ids"])
    some = [["tile_0007", "a haze from above"], ["tile_0007", "and a road"], ["tile_0011", "road"]]
    write("new.csv", ["tile", "sentence"], some)
    assert main(["predict", run_id, "data.file=new.csv", "--out", "out.csv"]) == 0
    actual = pd.read_csv("out.csv")
    assert actual["tile"].tolist() == ["tile_0007", "tile_0011"]
    assert {one for cell in actual["tags"] for one in cell.split(",")} <= set(LABELS)


@pytest.mark.parametrize(("count", "labels"), [(2_000, 1_000), (50, 2)])
def test_many_labels_and_few_samples(count: int, labels: int) -> None:
    draw = random.Random(1)
    rows = []
    for number in range(count):
        true = sorted({draw.randrange(labels), number % labels})
        rows.append([f"text {' '.join(f'w{label}' for label in true)}", "|".join(map(str, true))])
    write("table.csv", ["caption", "labels"], rows)
    own = ["data=table", "data.root=set", "data.file=table.csv", "data.image_column=null"]
    assert main(["doctor", *own, "data.separator='|'"]) == 0
    assert main([*own, "data.separator='|'", "text=tfidf", *QUICK]) == 0
    _, metrics = latest()
    assert 0 <= metrics["test/f1_macro"] <= metrics["test/f1_macro_present"] <= 1
    assert metrics["test/labels_without_positive"] < labels


def test_a_tenth_of_the_pictures_is_missing() -> None:
    Path("set/images").mkdir()
    rows = []
    for number in range(200):
        if number % 10:
            Image.new("RGB", (24, 24), (number, 0, 0)).save(f"set/images/{number}.png")
        label = ("dark", "light")[number >= 100]
        rows.append([f"{number}.png", f"a {label} picture", label])
    write("table.csv", ["image", "caption", "labels"], rows)
    own = ["data=table", "data.root=set", "data.file=table.csv", "data.images=images"]
    assert main(["doctor", *own, *QUICK[2:3]]) == 1
    assert main([*own, *PICTURES, *QUICK]) == 2
    assert main([*own, "data.on_bad_image=skip", *PICTURES, *QUICK]) == 0
    assert latest()[1]["test/f1_samples"] >= 0
