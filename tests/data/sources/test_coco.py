from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import NAMES, problems, write
from message_facts import Naming

from mmclf.data.samples import Samples
from mmclf.data.sources.coco import load

Tree = dict[str, Any]


def test_samples_in_the_order_of_the_file(coco_root: Path) -> None:
    samples = load(str(coco_root))
    assert samples.ids == ("train2017/c.jpg", "train2017/a.jpg", "train2017/b.jpg")
    assert samples.images == tuple(coco_root / "train2017" / f"{name}.jpg" for name in "cab")
    assert samples.captions == ("a shirt", "a dog\non a bike", "")
    assert samples.label_ids == ("2", "10", "18", "90")
    assert samples.label_names == ("bicycle", "traffic light", "dog", "t-shirt")
    assert samples.labels.tolist() == [[0, 0, 0, 1], [1, 0, 1, 0], [0, 1, 0, 0]]
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
    valid = "bicycle, dog, person, t-shirt, traffic light"
    assert messages == [
        Naming("data.categories", file, "'dgo'", "'dog'", valid),
        Naming("data.categories", file, "'12'", valid),
    ]
    assert "did you mean" not in messages[1]


def test_no_categories_and_none_that_is_shown(coco_root: Path) -> None:
    assert problems(coco_root, categories=[]) == [Naming("data.categories", "empty", "null")]
    (problem,) = problems(coco_root, categories=["person"])
    assert problem == Naming("data.categories")


def test_a_category_that_no_annotation_has_is_left_out_with_a_note(coco_root: Path) -> None:
    (note,) = [note for note in load(str(coco_root)).notes if "categories were" in note]
    assert note == Naming("1 of 5", "'person'")
    chosen = load(str(coco_root), categories=["person", "dog"])
    assert chosen.label_names == ("dog",)
    assert any("'person'" in note for note in chosen.notes)
    assert not any("'person'" in note for note in load(str(coco_root), categories=["dog"]).notes)


def test_a_category_is_left_out_only_if_no_part_has_it(coco_root: Path) -> None:
    val = {
        "images": [{"id": 1, "file_name": "v.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1}],
        "categories": [{"id": 1, "name": "person"}],
    }
    write(coco_root, "val", val)
    own: dict[str, Any] = {"captions": None, "val_instances": "val.json", "val_images": "val"}
    samples = load(str(coco_root), **own)
    assert samples.label_names[0] == "person"
    assert samples.labels[:, 0].tolist() == [0, 0, 0, 1]


def test_images_that_show_none_of_the_categories(coco_root: Path) -> None:
    dropped = load(str(coco_root))
    assert len(dropped) == 3
    assert Naming("1 of 4", "images") in dropped.notes
    kept = load(str(coco_root), unlabelled="keep")
    assert kept.ids[3] == "train2017/empty.jpg"
    assert kept.labels.sum(axis=1).tolist() == [1, 2, 1, 0]
    assert Naming("1 of 4", "images") in kept.notes
    (problem,) = problems(coco_root, unlabelled="error")
    assert problem == Naming("1 of 4", "empty.jpg")
    assert all("none of the" not in note for note in _only_labelled(coco_root, "error").notes)


def _only_labelled(coco_root: Path, unlabelled: Any) -> Samples:
    tree = json.loads((coco_root / NAMES["instances"]).read_text())
    tree["images"].pop()
    write(coco_root, "instances", tree)
    return load(str(coco_root), unlabelled=unlabelled)


def test_several_captions_of_an_image(coco_root: Path) -> None:
    first = load(str(coco_root))
    assert Naming("2 captions", "1 samples") in first.notes
    assert first.other_captions == ()
    joined = load(str(coco_root), caption_use="join")
    assert joined.captions == ("a shirt", "a dog\non a bike later latest", "")
    each = load(str(coco_root), caption_use="each")
    assert each.captions == first.captions
    assert each.other_captions == ((), ("later", "latest"), ())


@pytest.mark.parametrize("together", [False, True])
def test_captions_and_instances_in_one_file(coco_root: Path, together: bool) -> None:
    apart = load(str(coco_root), caption_use="each")
    instances, captions = (
        json.loads((coco_root / NAMES[name]).read_text()) for name in ("instances", "captions")
    )
    if together:
        # Of a box's own caption, as in sets of regions; the other key may be null.
        for one in captions["annotations"]:
            one["category_id"] = None
        captions["annotations"][0]["category_id"] = 18
    instances["annotations"] += [one for one in captions["annotations"] if one["image_id"] != 999]
    write(coco_root, "both", instances)
    loaded = load(str(coco_root), "both.json", "both.json", caption_use="each")
    assert (loaded.captions, loaded.other_captions) == (apart.captions, apart.other_captions)
    assert (loaded.labels == apart.labels).all()
    assert load(str(coco_root), "both.json", None).captions == ("", "", "")


def test_an_annotation_without_category_and_caption_is_refused(coco_root: Path) -> None:
    tree = json.loads((coco_root / NAMES["instances"]).read_text())
    tree["annotations"] += [{"id": 9, "image_id": 10, "caption": "c"}, {"id": 6, "image_id": 10}]
    write(coco_root, "both", tree)
    (problem,) = problems(coco_root, instances="both.json", captions="both.json")
    assert problem == Naming("1 of 6", "'category_id'")


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
    assert samples.labels[3].tolist() == [0, 0, 1, 0]
    assert np.flatnonzero(samples.own_val).tolist() == [3]
    assert not samples.own_test.any()
    test = {key.replace("val_", "test_"): value for key, value in own.items()}
    samples = load(str(coco_root), **test)
    assert np.flatnonzero(samples.own_test).tolist() == [3]
    (problem,) = problems(coco_root, **own, **test)
    assert problem == Naming(coco_root, "'val/x/a.jpg'", "twice")


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        ({"val_instances": "v.json"}, Naming("data.val_images", "missing")),
        ({"test_images": "t"}, Naming("data.test_instances", "missing")),
        (
            {"val_instances": "v.json", "val_images": "v"},
            Naming("data.val_captions", "missing", "data.val_instances", "data.val_images"),
        ),
        (
            {"captions": None, "val_instances": "v", "val_images": "v", "val_captions": "v"},
            Naming("data.val_captions", "data.captions", "null"),
        ),
    ],
)
def test_half_of_a_part(coco_root: Path, arguments: dict[str, Any], facts: Naming) -> None:
    assert problems(coco_root, **arguments)[0] == facts


def test_categories_that_other_files_number_otherwise(coco_root: Path) -> None:
    tree = json.loads((coco_root / NAMES["instances"]).read_text())
    tree["categories"][1]["name"] = "cat"
    write(coco_root, "val", tree)
    own: dict[str, Any] = {"captions": None, "val_instances": "val.json", "val_images": "val"}
    file = coco_root / NAMES["instances"]
    messages = problems(coco_root, **own)
    assert messages == [Naming(coco_root / "val.json", "18", "'cat'", "'dog'", file)]
    assert len(load(str(coco_root), **own, categories=[2, 10])) == 4


@pytest.mark.parametrize("missing", ["root", "instances", "captions"])
def test_the_layout_is_shown_where_something_lacks(coco_root: Path, missing: str) -> None:
    if missing == "root":
        (problem,) = problems(coco_root / "gone")
        assert problem == Naming("data.root", coco_root / "gone")
    else:
        (coco_root / NAMES[missing]).unlink()
        (problem,) = problems(coco_root)
        assert problem == Naming("data.root", coco_root, NAMES[missing])
    for line in ("ROOT/annotations/instances_train2017.json", "ROOT/train2017 "):
        assert line in problem


def test_an_own_part_that_is_not_there(coco_root: Path) -> None:
    own = {"captions": None, "val_instances": "gone.json", "val_images": "val"}
    assert problems(coco_root, **own)[0] == Naming("gone.json", os.strerror(errno.ENOENT))
