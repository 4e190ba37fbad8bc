from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from coco_files import NAMES, problems, write
from message_facts import Naming

from mmclf.data.sources.coco import load

Tree = dict[str, Any]
IMAGES = ("c.jpg", 30), ("a.jpg", 10), ("b.jpg", 20), ("gone.jpg", 99)
SPLITS = ("restval", "test", "val", "train")


def karpathy(names: Sequence[tuple[str, int]], *, with_ids: bool) -> Tree:
    """The split in its own form, the captions of an image called first and second."""
    images: list[Tree] = [
        {
            "filename": name,
            "split": split,
            "imgid": i,
            "sentids": [2 * i, 2 * i + 1],
            "sentences": [
                {"raw": f"{name} {nth} ", "tokens": [name, nth], "imgid": i, "sentid": 2 * i}
                for nth in ("first", "second")
            ],
        }
        for i, ((name, _), split) in enumerate(zip(names, SPLITS, strict=True))
    ]
    if with_ids:
        for image, (_, number) in zip(images, names, strict=True):
            # Called as in the release of 2014, which is not the files' name here.
            image |= {"cocoid": number, "filepath": "val2014", "filename": f"COCO_{number}.jpg"}
    return {"dataset": "coco", "images": images}


@pytest.mark.parametrize("with_ids", [True, False])
def test_parts_and_captions_are_those_of_the_split(coco_root: Path, with_ids: bool) -> None:
    write(coco_root, "dataset_coco", karpathy(IMAGES, with_ids=with_ids))
    (coco_root / NAMES["captions"]).unlink()  # not needed
    samples = load(str(coco_root), karpathy="dataset_coco.json", caption_use="each")
    assert samples.ids == ("train2017/c.jpg", "train2017/a.jpg", "train2017/b.jpg")
    assert samples.captions == ("c.jpg first", "a.jpg first", "b.jpg first")
    assert samples.other_captions == (("c.jpg second",), ("a.jpg second",), ("b.jpg second",))
    assert samples.own_test.tolist() == [False, True, False]
    assert samples.own_val.tolist() == [False, False, True]
    assert samples.labels.sum() == 4
    counts = [note.split(" images")[0] for note in samples.notes if "left out" in note]
    # empty.jpg is not in the split, gone.jpg not among the instances, and no one shows a person.
    assert counts[:2] == ["1", "1"]
    assert any("'person'" in note for note in samples.notes)


def test_the_files_of_two_parts_are_divided_by_the_split_alone(coco_root: Path) -> None:
    tree = json.loads((coco_root / NAMES["instances"]).read_text())
    val = tree | {"images": [{"id": 99, "file_name": "gone.jpg"}]}
    val["annotations"] = [{"image_id": 99, "category_id": 1}]
    write(coco_root, "val", val)
    write(coco_root, "split", karpathy(IMAGES, with_ids=True))
    own: dict[str, Any] = {"val_instances": "val.json", "val_images": "val2017"}
    samples = load(str(coco_root), karpathy="split.json", **own)
    assert samples.ids[3] == "val2017/gone.jpg"
    assert not (samples.own_val | samples.own_test)[3]
    assert "person" in samples.label_names
    (problem,) = problems(coco_root, karpathy="split.json", val_captions="v.json", **own)
    assert problem == Naming("data.val_captions", "data.karpathy")
    # The same image in both files.
    val["images"].append({"id": 10, "file_name": "a.jpg"})
    write(coco_root, "val", val)
    (problem, *_) = problems(coco_root, karpathy="split.json", **own)
    assert problem == Naming("'10'", "twice")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tree: tree.pop("images"), Naming("'images'")),
        (lambda tree: tree["images"][0].pop("split"), Naming("1 of 4 images", "'split'")),
        (
            lambda tree: tree["images"][0].update(sentences="a"),
            Naming("1 of 4 images", "'sentences'", "list"),
        ),
        (
            lambda tree: tree["images"][0]["sentences"].append(3),
            Naming("1 of 9 sentences", "'raw'"),
        ),
        (lambda tree: tree["images"][0].update(split="vall"), Naming("'vall'", "'val'")),
        (lambda tree: tree["images"].append(tree["images"][1]), Naming("'10'", "twice")),
        (
            lambda tree: [one.update(cocoid=one["cocoid"] + 1) for one in tree["images"]],
            Naming("none of 4 images", 31, 30, "'c.jpg'"),
        ),
        (lambda tree: tree.update(images=[]), Naming("none of 4 images")),
    ],
)
def test_a_split_that_cannot_be_used(
    coco_root: Path, change: Callable[[Tree], object], words: Naming
) -> None:
    tree = karpathy(IMAGES, with_ids=True)
    change(tree)
    write(coco_root, "split", tree)
    (problem,) = problems(coco_root, karpathy="split.json")
    assert problem.startswith(str(coco_root / "split.json"))
    assert problem == words


def test_an_image_without_sentences_has_no_caption(coco_root: Path) -> None:
    tree = karpathy(IMAGES, with_ids=True)
    tree["images"][0]["sentences"] = []
    write(coco_root, "split", tree)
    assert load(str(coco_root), karpathy="split.json").captions[0] == ""
