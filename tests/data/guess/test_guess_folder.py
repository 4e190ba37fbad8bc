"""What is found in a file or folder: tables, the competition's layout, MS COCO's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from message_facts import Naming
from PIL import Image

from mmclf.data.guess import guess as module
from mmclf.data.guess.guess import guess
from mmclf.data.guess.settings import Guess
from mmclf.errors import InputError

CAPTIONED = {"image": ["a.png", "b.png"], "labels": ["x", "y"], "caption": ["one two", "three"]}


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder that has none of another test beside it, where images are looked for too."""
    folder = tmp_path / "beside" / "own"
    folder.mkdir(parents=True)
    return folder


def values(guess: Guess) -> dict[str, object]:
    return {setting.key: setting.value for setting in guess.settings}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        guess(path)
    return str(caught.value)


def test_the_competition(competition: Path) -> None:
    for path in (competition, competition / "train.csv"):
        actual = guess(path)
        assert (actual.source, actual.root, actual.settings) == ("competition", competition, ())
    (competition / "data").rename(competition / "images")
    assert guess(competition / "train.csv").source == "table"


def test_nothing_that_is_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone") == Naming("no file", tmp_path / "gone")
    assert refusal(tmp_path) == Naming(tmp_path, "holds nothing")
    (tmp_path / "notes.md").write_text("a")
    assert refusal(tmp_path) == Naming(tmp_path, "holds nothing")
    assert refusal(tmp_path / "notes.md") == Naming(tmp_path / "notes.md", "nothing")
    (tmp_path / "x.json").write_text("[1]")
    assert refusal(tmp_path) == Naming(tmp_path, "holds nothing")
    assert "expected an object" in refusal(tmp_path / "x.json")


@pytest.mark.parametrize("below", [".", "data"])
def test_the_one_table_of_a_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    pd.DataFrame(CAPTIONED).to_csv(tmp_path / below / "t.csv", index=False)
    (tmp_path / "package.json").write_text('{"name": "other"}')
    actual = guess(tmp_path)
    assert actual.source == "table"
    assert (actual.root / str(values(actual)["file"])).is_file()


def test_a_setting_that_the_source_does_not_take_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame(CAPTIONED).to_csv(tmp_path / "t.csv", index=False)

    def load(root: str, file: str, label_column: str) -> Any:
        return root, file, label_column

    monkeypatch.setattr(module, "LOADERS", {"table": load})
    assert {*values(guess(tmp_path))} == {"file", "label_column"}


def test_tables_of_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(files: Any, file: Any, image_column: Any, split_column: Any) -> Any:
        return files, file, image_column, split_column

    monkeypatch.setattr(module, "LOADERS", {"table": load})
    for name in ("train.csv", "my_valid-1.csv", "my_valid-2.csv"):
        pd.DataFrame(CAPTIONED).to_csv(tmp_path / name, index=False)
    (tmp_path / "sample_submission.csv").write_text("a\n1\n")
    actual = guess(tmp_path)
    assert values(actual) == {
        "files": {"val": "my_valid-*.csv", "train": "train.csv"},
        "image_column": "image",
    }
    assert "'sample_submission.csv' left out" in actual.settings[0].why
    (tmp_path / "train.csv").unlink()
    assert "my_valid-1.csv, my_valid-2.csv, sample_submission.csv" in refusal(tmp_path)


@pytest.fixture
def coco(coco_root: Path) -> Path:
    """A small set in MS COCO's format, with a validation set and pictures of its own."""
    (coco_root / "pictures" / "train").mkdir(parents=True)
    for name in ("a", "b", "c"):
        Image.new("RGB", (4, 4)).save(coco_root / "pictures" / "train" / f"{name}.jpg")
    tree: dict[str, Any] = {
        "images": [{"id": 5, "file_name": "v.jpg"}],
        "annotations": [{"image_id": 5, "category_id": 18}],
        "categories": [{"id": 18, "name": "dog"}],
    }
    (coco_root / "annotations" / "instances_val2017.json").write_text(json.dumps(tree))
    (coco_root / "annotations" / "person_keypoints_val2017.json").write_text("broken")
    return coco_root


def test_coco(coco: Path) -> None:
    expected = {
        "instances": "annotations/instances_train2017.json",
        "captions": "annotations/captions_train2017.json",
        "images": "pictures/train",
    }
    for folder in (coco, coco / "annotations"):
        actual = guess(folder)
        assert (actual.source, actual.root) == ("coco", coco)
        assert values(actual) == expected | {
            "val_instances": "annotations/instances_val2017.json",
            "val_captions": None,
            "val_images": "val2017",  # as MS COCO calls it, for want of the pictures
        }
    assert values(guess(coco / "annotations" / "instances_train2017.json")) == expected
    (alone,) = (guess(coco / "annotations" / f"instances_{one}2017.json") for one in ("val",))
    assert values(alone)["instances"] == "annotations/instances_val2017.json"


def test_captions_in_the_file_of_the_instances(coco: Path) -> None:
    file = coco / "annotations" / "instances_train2017.json"
    tree = json.loads(file.read_text())
    tree["annotations"] += [
        {"id": 100 + i, "image_id": 10, "caption": f"caption {i}"} for i in range(5)
    ]
    (coco / "all.json").write_text(json.dumps(tree))
    actual = guess(coco / "all.json")
    assert actual.root == coco
    assert values(actual)["captions"] == values(actual)["instances"] == "all.json"


def test_karpathys_split(coco: Path) -> None:
    image = {"filename": "a.jpg", "split": "train", "sentences": [{"raw": "x"}]}
    split = coco / "dataset_coco.json"
    split.write_text(json.dumps({"images": [image]}))
    actual = values(guess(coco))
    assert actual["karpathy"] == "dataset_coco.json"
    assert not [key for key in actual if key.endswith("captions")]
    (coco / "flickr").mkdir()
    split.rename(coco / "flickr" / "dataset.json")
    for path in (coco / "flickr", coco / "flickr" / "dataset.json"):
        assert "no labels" in refusal(path)


def test_files_of_instances_whose_part_is_unclear(coco: Path) -> None:
    file = coco / "annotations" / "instances_val2017.json"
    file.rename(file.with_name("more_train.json"))
    assert refusal(coco) == Naming("train, val or test")
