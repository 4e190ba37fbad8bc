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
from message_facts import Naming

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
        ('{"images": [\n1,\n}', Naming("line 3, column 1", "Expecting value")),
        ("", Naming("line 1, column 1", "no JSON")),
        ("[1]", Naming("[1]", "object")),
        ("[" * 100_000, Naming("JSON", "cannot be read")),
        (f'{{"images": {"1" * 5000}}}', Naming("JSON", "cannot be read")),
        ("{}", Naming("'images'", "nothing")),
    ],
)
def test_json_that_cannot_be_used(coco_root: Path, text: str, words: Naming) -> None:
    (coco_root / NAMES["instances"]).write_text(text)
    assert problems(coco_root)[0] == words


def test_captions_in_the_place_of_instances(coco_root: Path) -> None:
    instances, captions = (coco_root / name for name in NAMES.values())
    kept = instances.read_text()
    instances.write_text(captions.read_text())
    messages = problems(coco_root)
    assert messages[:3] == [
        Naming("'images'", "annotations"),
        Naming("'categories'"),
        Naming("5 of 5", "'category_id'", "number 0"),
    ]
    instances.write_text(kept)
    captions.write_text(kept)
    assert problems(coco_root)[0] == Naming("5 of 5", "'caption'")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tree: tree["images"][1].pop("id"),
            Naming("1 of 4 images", "'id'", "number 1", "{'file_name': 'a.jpg'}"),
        ),
        (lambda tree: tree["images"][1].update(id="10"), Naming("1 of 4 images", "'id'")),
        (lambda tree: tree["images"][1].update(id=10.0), Naming("1 of 4 images", "'id'")),
        (lambda tree: tree["images"][1].update(id=True), Naming("1 of 4 images", "'id'")),
        (lambda tree: tree["images"].append([]), Naming("1 of 5 images", "'id'")),
        (
            lambda tree: tree["images"][0].update(file_name=3),
            Naming("1 of 4 images", "'file_name'"),
        ),
        (
            lambda tree: tree["images"][0].update(file_name="\ud800"),
            Naming("1 of 4 images", "'file_name'"),
        ),
        (
            lambda tree: tree["categories"][0].update(name=None),
            Naming("1 of 5 categories", "'name'"),
        ),
        (lambda tree: tree.update(annotations={}), Naming("'annotations'", "images")),
        (
            lambda tree: tree["images"].append({"id": 10, "file_name": "d.jpg"}),
            Naming("image id", "'10'", "twice"),
        ),
        (
            lambda tree: tree["categories"].append({"id": 18, "name": "cat"}),
            Naming("category id", "'18'", "twice"),
        ),
        (
            lambda tree: tree["categories"].append({"id": 19, "name": "dog"}),
            Naming("category name", "'dog'", "twice"),
        ),
        (lambda tree: tree["categories"][0].update(name=" "), Naming("category 90", "empty name")),
        (
            lambda tree: [one.update(image_id=77) for one in tree["annotations"][:3]],
            Naming("3 annotations", "image_id 77"),
        ),
        (
            lambda tree: tree["annotations"][4].update(category_id=91),
            Naming("1 annotations", "category_id 91"),
        ),
        (
            lambda tree: tree["images"][0].update(file_name="../a.jpg"),
            Naming("image id 30", "'../a.jpg'"),
        ),
        (
            lambda tree: tree["images"][0].update(file_name="./a.jpg"),
            Naming("'train2017/a.jpg'", "twice"),
        ),
    ],
)
def test_instances_that_cannot_be_used(
    coco_root: Path, change: Callable[[Tree], object], words: Naming
) -> None:
    change_file(coco_root, "instances", change)
    first, *others = problems(coco_root)
    assert first == words
    assert str(coco_root) in first
    # What is no object lacks every key.
    assert len(others) == ("1 of 5 images" in first)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tree: tree["annotations"][0].pop("id"),
            Naming("1 of 5 annotations", "'id'"),
        ),
        (
            lambda tree: tree["annotations"][2].update(caption="half \udfff"),
            Naming("1 of 5 annotations", "'caption'", "number 2"),
        ),
        (
            lambda tree: [one.update(image_id=5) for one in tree["annotations"]],
            Naming("no caption", "4 images"),
        ),
        (
            lambda tree: tree.update(
                images=[{"id": 10, "file_name": "z.jpg"}, {"id": 5, "file_name": "y.jpg"}]
            ),
            Naming("1 images", "id 10", "'z.jpg'", "'a.jpg'"),
        ),
    ],
)
def test_captions_that_cannot_be_used(
    coco_root: Path, change: Callable[[Tree], object], words: Naming
) -> None:
    change_file(coco_root, "captions", change)
    (problem,) = problems(coco_root)
    assert problem.startswith(str(coco_root / NAMES["captions"]))
    assert problem == words


def test_captions_with_images_of_the_same_names(coco_root: Path) -> None:
    images = [{"id": 10, "file_name": "a.jpg"}, {"id": 5, "file_name": "other.jpg"}]
    change_file(coco_root, "captions", lambda tree: tree.update(images=images))
    assert load(str(coco_root)).captions[1] == "a dog\non a bike"


SHARED_FOLDER = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
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
