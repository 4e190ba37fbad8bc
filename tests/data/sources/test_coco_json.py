from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coco_files import NAMES, problems, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmclf.data.samples import Samples
from mmclf.data.sources.coco import load
from mmclf.errors import InputError

Tree = dict[str, Any]


def change_file(root: Path, name: str, change: Callable[[Tree], object]) -> None:
    tree = json.loads((root / NAMES[name]).read_text())
    change(tree)
    write(root, name, tree)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"images": [\n1,\n}', "line 3, column 1: this is no JSON (Expecting value): get"),
        ("", "line 1, column 1: this is no JSON"),
        ("[1]", "holds [1], expected an object as MS COCO's"),
        ("[" * 100_000, "this JSON cannot be read ("),
        (f'{{"images": {"1" * 5000}}}', "this JSON cannot be read ("),
        ("{}", "has no list 'images', it has nothing: is it another file?"),
    ],
)
def test_json_that_cannot_be_used(coco_root: Path, text: str, words: str) -> None:
    (coco_root / NAMES["instances"]).write_text(text)
    assert words in problems(coco_root)[0]


def test_captions_in_the_place_of_instances(coco_root: Path) -> None:
    instances, captions = (coco_root / name for name in NAMES.values())
    kept = instances.read_text()
    instances.write_text(captions.read_text())
    messages = problems(coco_root)
    assert "has no list 'images', it has annotations: is it another file?" in messages[0]
    assert "has no list 'categories'" in messages[1]
    assert "5 of 5 annotations lack 'category_id' as a whole number, number 0 first" in messages[2]
    instances.write_text(kept)
    captions.write_text(kept)
    assert "5 of 5 annotations lack 'caption' as a proper text" in problems(coco_root)[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tree: tree["images"][1].pop("id"),
            "1 of 4 images lack 'id' as a whole number, number 1 first: {'file_name': 'a.jpg'}",
        ),
        (lambda tree: tree["images"][1].update(id="10"), "images lack 'id' as a whole number"),
        (lambda tree: tree["images"][1].update(id=10.0), "images lack 'id' as a whole number"),
        (lambda tree: tree["images"][1].update(id=True), "images lack 'id' as a whole number"),
        (lambda tree: tree["images"].append([]), "1 of 5 images lack 'id' as a whole number"),
        (lambda tree: tree["images"][0].update(file_name=3), "lack 'file_name' as a proper text"),
        (
            lambda tree: tree["images"][0].update(file_name="\ud800"),
            "lack 'file_name' as a proper text",
        ),
        (lambda tree: tree["categories"][0].update(name=None), "lack 'name' as a proper text"),
        (lambda tree: tree.update(annotations={}), "has no list 'annotations', it has images"),
        (
            lambda tree: tree["images"].append({"id": 10, "file_name": "d.jpg"}),
            "the image id '10' stands twice",
        ),
        (
            lambda tree: tree["categories"].append({"id": 18, "name": "cat"}),
            "the category id '18' stands twice",
        ),
        (
            lambda tree: tree["categories"].append({"id": 19, "name": "dog"}),
            "the category name 'dog' stands twice",
        ),
        (lambda tree: tree["categories"][0].update(name=" "), "category 90 has an empty name"),
        (
            lambda tree: [one.update(image_id=77) for one in tree["annotations"][:3]],
            "3 annotations refer to an unknown image, the first to image_id 77: remove them, or",
        ),
        (
            lambda tree: tree["annotations"][4].update(category_id=91),
            "1 annotations refer to an unknown category, the first to category_id 91",
        ),
        (
            lambda tree: tree["images"][0].update(file_name="../a.jpg"),
            "image id 30: the image '../a.jpg' leads upwards: expected a path inside",
        ),
        (
            lambda tree: tree["images"][0].update(file_name="./a.jpg"),
            "the image 'train2017/a.jpg' stands twice",
        ),
    ],
)
def test_instances_that_cannot_be_used(
    coco_root: Path, change: Callable[[Tree], object], words: str
) -> None:
    change_file(coco_root, "instances", change)
    first, *others = problems(coco_root)
    assert words in first
    assert str(coco_root) in first
    # What is no object lacks every key.
    assert len(others) == ("1 of 5 images" in words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tree: tree["annotations"][0].pop("id"),
            "1 of 5 annotations lack 'id' as a whole number",
        ),
        (
            lambda tree: tree["annotations"][2].update(caption="half \udfff"),
            "1 of 5 annotations lack 'caption' as a proper text, number 2 first",
        ),
        (
            lambda tree: [one.update(image_id=5) for one in tree["annotations"]],
            "has no caption for any of 4 images: give the captions that belong to the instances",
        ),
        (
            lambda tree: tree.update(
                images=[{"id": 10, "file_name": "z.jpg"}, {"id": 5, "file_name": "y.jpg"}]
            ),
            "1 images are called otherwise than in the instances (id 10: 'z.jpg', not 'a.jpg')",
        ),
    ],
)
def test_captions_that_cannot_be_used(
    coco_root: Path, change: Callable[[Tree], object], words: str
) -> None:
    change_file(coco_root, "captions", change)
    (problem,) = problems(coco_root)
    assert problem.startswith(str(coco_root / NAMES["captions"]))
    assert words in problem


def test_captions_with_images_of_the_same_names(coco_root: Path) -> None:
    images = [{"id": 10, "file_name": "a.jpg"}, {"id": 5, "file_name": "other.jpg"}]
    change_file(coco_root, "captions", lambda tree: tree.update(images=images))
    assert load(str(coco_root)).captions[1] == "a dog\non a bike"


SHARED_FOLDER = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 40), st.floats(), st.text(max_size=5))
KEYS = st.sampled_from(["id", "image_id", "category_id", "file_name", "name", "caption"])
ENTRIES = st.lists(st.one_of(SCALARS, st.dictionaries(KEYS, SCALARS)), max_size=4)
TREES = st.dictionaries(
    st.sampled_from(["images", "annotations", "categories"]), st.one_of(SCALARS, ENTRIES)
)


def drawn(coco_root: Path, content: bytes, name: str) -> None:
    path = coco_root / NAMES[name]
    whole = path.read_bytes()
    path.write_bytes(content)
    samples: Samples | None = None
    with contextlib.suppress(InputError):
        samples = load(str(coco_root))
    # The next example finds the other file sound.
    path.write_bytes(whole)
    assert samples is None or samples.labels.any(axis=1).all()


@SHARED_FOLDER
@given(st.binary(max_size=50), st.sampled_from([*NAMES]))
def test_any_bytes_are_samples_or_an_input_error(
    coco_root: Path, content: bytes, name: str
) -> None:
    drawn(coco_root, content, name)


@SHARED_FOLDER
@given(TREES, st.sampled_from([*NAMES]))
def test_any_json_is_samples_or_an_input_error(coco_root: Path, tree: Tree, name: str) -> None:
    whole = json.loads((coco_root / NAMES[name]).read_text())
    drawn(coco_root, json.dumps(whole | tree).encode(), name)
