from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import NAMES, problems, write

from mmclf.data.sources.coco import load

Tree = dict[str, Any]


def test_samples_in_the_order_of_the_file(coco_root: Path) -> None:
    samples = load(str(coco_root))
    assert samples.ids == ("train2017/c.jpg", "train2017/a.jpg", "train2017/b.jpg")
    assert samples.images == tuple(coco_root / "train2017" / f"{name}.jpg" for name in "cab")
    assert samples.captions == ("a shirt", "a dog\non a bike", "")
    assert samples.label_ids == ("1", "2", "10", "18", "90")
    assert samples.label_names == ("person", "bicycle", "traffic light", "dog", "t-shirt")
    assert samples.labels.tolist() == [[0, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0]]
    assert not samples.own_val.any()
    assert not samples.own_test.any()


@pytest.mark.parametrize("categories", [[18, "traffic light"], ["10", "dog", 18], ["dog", 10]])
def test_images_without_a_chosen_category_are_left_out(
    coco_root: Path, categories: list[int | str]
) -> None:
    samples = load(str(coco_root), categories=categories)
    assert samples.ids == ("train2017/a.jpg", "train2017/b.jpg")
    assert samples.label_names == ("traffic light", "dog")
    assert samples.labels.tolist() == [[0, 1], [1, 0]]


def test_unknown_categories_are_named_with_the_nearest(coco_root: Path) -> None:
    messages = problems(coco_root, categories=["dgo", "dog", 12])
    file = coco_root / NAMES["instances"]
    assert messages == [
        f"data.categories: {file} has no category 'dgo': did you mean 'dog'? valid: bicycle, dog, "
        "person, t-shirt, traffic light",
        f"data.categories: {file} has no category '12': valid: bicycle, dog, person, t-shirt, "
        "traffic light",
    ]


def test_no_categories_and_none_that_is_shown(coco_root: Path) -> None:
    assert problems(coco_root, categories=[]) == [
        "data.categories is empty; expected ids or names, or null for all"
    ]
    (problem,) = problems(coco_root, categories=["person"])
    assert "no image shows any of the chosen categories: choose others by data" in problem


def test_without_captions(coco_root: Path) -> None:
    assert load(str(coco_root), captions=None).captions == ("", "", "")


def test_parts_of_the_sources_own(coco_root: Path) -> None:
    val = {
        "images": [{"id": 10, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 10, "category_id": 18}],
        "categories": [{"id": 18, "name": "dog"}],
    }
    write(coco_root, "val", val)
    write(coco_root, "val_captions", {"annotations": [{"id": 1, "image_id": 10, "caption": "v"}]})
    own: dict[str, Any] = {"val_instances": "val.json", "val_images": "val/x"}
    own["val_captions"] = "val_captions.json"
    samples = load(str(coco_root), **own)
    assert samples.ids[3] == "val/x/a.jpg"
    assert samples.images[3] == coco_root / "val" / "x" / "a.jpg"
    assert samples.captions[3] == "v"
    assert samples.labels[3].tolist() == [0, 0, 0, 1, 0]
    assert np.flatnonzero(samples.own_val).tolist() == [3]
    assert not samples.own_test.any()
    test = {key.replace("val_", "test_"): value for key, value in own.items()}
    samples = load(str(coco_root), **test)
    assert np.flatnonzero(samples.own_test).tolist() == [3]
    (problem,) = problems(coco_root, **own, **test)
    assert problem.startswith(
        f"{coco_root}: the image 'val/x/a.jpg' stands twice; each must be its own"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"val_instances": "v.json"}, "data.val_images is missing: a val set of its own needs"),
        ({"test_images": "t"}, "data.test_instances is missing: a test set of its own needs"),
        (
            {"val_instances": "v.json", "val_images": "v"},
            "data.val_captions is missing: a val set of its own needs data.val_instances, "
            "data.val_images, data.val_captions",
        ),
        (
            {"captions": None, "val_instances": "v", "val_images": "v", "val_captions": "v"},
            "data.val_captions is given, but data.captions is null: give both",
        ),
    ],
)
def test_half_of_a_part(coco_root: Path, arguments: dict[str, Any], problem: str) -> None:
    assert problems(coco_root, **arguments)[0].startswith(problem)


def test_categories_that_other_files_number_otherwise(coco_root: Path) -> None:
    tree = json.loads((coco_root / NAMES["instances"]).read_text())
    tree["categories"][1]["name"] = "cat"
    write(coco_root, "val", tree)
    own: dict[str, Any] = {"captions": None, "val_instances": "val.json", "val_images": "val"}
    file = coco_root / NAMES["instances"]
    assert problems(coco_root, **own) == [
        f"{coco_root / 'val.json'}: category 18 is 'cat', but 'dog' in {file}: number the "
        "categories alike"
    ]
    assert len(load(str(coco_root), **own, categories=[2, 10])) == 4


@pytest.mark.parametrize("missing", ["root", "instances", "captions"])
def test_the_layout_is_shown_where_something_lacks(coco_root: Path, missing: str) -> None:
    if missing == "root":
        (problem,) = problems(coco_root / "gone")
        assert problem.startswith(f"data.root: there is no folder {coco_root / 'gone'}; expected")
    else:
        (coco_root / NAMES[missing]).unlink()
        (problem,) = problems(coco_root)
        assert problem.startswith(f"data.root: {coco_root} has no {NAMES[missing]}; expected")
    for line in ("ROOT/annotations/instances_train2017.json", "ROOT/train2017 "):
        assert line in problem


def test_an_own_part_that_is_not_there(coco_root: Path) -> None:
    own = {"captions": None, "val_instances": "gone.json", "val_images": "val"}
    assert "gone.json cannot be read (No such file or directory)" in problems(coco_root, **own)[0]
