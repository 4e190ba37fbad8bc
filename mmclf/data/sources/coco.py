"""A data source in the format of MS COCO: the categories in an image are its labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from mmclf.data.image_paths import image_paths
from mmclf.data.problems import repeated, shown
from mmclf.data.samples import Samples, label_matrix
from mmclf.data.sources.coco_json import Instances, read_captions, read_instances
from mmclf.errors import InputError, suggestion

LAYOUT = """expected, in the format of MS COCO,
  ROOT/{instances}  with images, annotations and categories
  ROOT/{captions}  with captions; data.captions=null without
  ROOT/{images}  the folder of the images that file_name names"""


@dataclass(frozen=True)
class _Part:
    """The annotations of one part.

    Args:
        name: `train`, `val` or `test`.
        file: of the instances.
        instances: read from it.
        captions: by image id.
        images: folder of the images, below the root.

    """

    name: str
    file: Path
    instances: Instances
    captions: Mapping[int, str]
    images: str

    def images_with(self, selected: Iterable[int]) -> list[int]:
        """The ids of the images with a selected category, in the file's order."""
        category_ids = frozenset(selected)
        return [
            image
            for image, categories in self.instances.categories_of.items()
            if not categories.isdisjoint(category_ids)
        ]


def load(
    root: str,
    instances: str = "annotations/instances_train2017.json",
    captions: str | None = "annotations/captions_train2017.json",
    images: str = "train2017",
    val_instances: str | None = None,
    val_captions: str | None = None,
    val_images: str | None = None,
    test_instances: str | None = None,
    test_captions: str | None = None,
    test_images: str | None = None,
    categories: list[int | str] | None = None,
) -> Samples:
    """Read a sample for each image with one of the `categories` (ids or names; None for all).

    Images without one are left out; crowds count as instances. The caption is the one with the
    lowest id, or empty. Ids are the images' paths below `root`. The files in `val_*` and `test_*`
    are the source's own validation and test sets. Raises InputError if a file is missing or
    damaged, a category is unknown, or the files do not belong together.
    """
    _check_layout(root, instances, captions, images)
    parts = [
        _read(root, "train", instances, captions, images),
        *_read_own(root, "val", val_instances, val_captions, val_images, captions),
        *_read_own(root, "test", test_instances, test_captions, test_images, captions),
    ]
    names = parts[0].instances.categories
    selected = _selected_ids(categories, names, parts[0].file)
    _check_same_names(parts, selected)
    images_of = [(part, image) for part in parts for image in part.images_with(selected)]
    if not images_of:
        raise InputError(
            f"{parts[0].file}: no image shows any of the chosen categories: choose others by "
            "data.categories"
        )
    ids = [
        PurePosixPath(part.images, part.instances.images[image]).as_posix()
        for part, image in images_of
    ]
    problems = repeated(ids, root, "image", "keep each image once")
    paths = _paths(root, parts, selected, problems)
    if problems:
        raise InputError(*problems)
    label_ids = tuple(str(category) for category in selected)
    label_sets = [
        [str(category) for category in part.instances.categories_of[image].intersection(selected)]
        for part, image in images_of
    ]
    return Samples(
        ids=tuple(ids),
        images=paths,
        captions=tuple(part.captions.get(image, "") for part, image in images_of),
        labels=label_matrix(label_sets, label_ids),
        label_ids=label_ids,
        label_names=tuple(names[category] for category in selected),
        own_val=np.array([part.name == "val" for part, _ in images_of]),
        own_test=np.array([part.name == "test" for part, _ in images_of]),
    )


def _check_layout(root: str, instances: str, captions: str | None, images: str) -> None:
    layout = LAYOUT.format(instances=instances, captions=captions, images=images)
    if not Path(root).is_dir():
        raise InputError(f"data.root: there is no folder {root}; {layout}")
    for file in (instances, captions):
        if file is not None and not Path(root, file).is_file():
            raise InputError(f"data.root: {root} has no {file}; {layout}")


def _read(root: str, name: str, instances: str, captions: str | None, images: str) -> _Part:
    file = Path(root, instances)
    content = read_instances(file)
    texts = read_captions(Path(root, captions), content.images) if captions is not None else {}
    return _Part(name, file, content, texts, images)


def _read_own(
    root: str,
    name: str,
    instances: str | None,
    captions: str | None,
    images: str | None,
    train_captions: str | None,
) -> list[_Part]:
    """The source's own part; empty if it is not configured. Raises InputError if incomplete."""
    if instances is None and captions is None and images is None:
        return []
    needed = {"instances": instances, "images": images}
    if train_captions is not None:
        needed["captions"] = captions
    for key, value in needed.items():
        if value is None:
            raise InputError(
                f"data.{name}_{key} is missing: a {name} set of its own needs "
                f"{', '.join(f'data.{name}_{other}' for other in needed)}"
            )
    if train_captions is None and captions is not None:
        raise InputError(f"data.{name}_captions is given, but data.captions is null: give both")
    assert instances is not None
    assert images is not None
    return [_read(root, name, instances, captions, images)]


def _selected_ids(
    categories: Sequence[int | str] | None, names: Mapping[int, str], file: Path
) -> tuple[int, ...]:
    """The ids of the selected categories, ascending; raises InputError for unknown ones."""
    id_of_name = {name: category for category, name in names.items()}
    id_of = {str(category): category for category in names} | id_of_name
    requested = (
        [str(name).strip() for name in categories] if categories is not None else [*id_of_name]
    )
    problems = [
        f"data.categories: {file} has no category {shown(name)}: {suggestion(name, id_of_name)}"
        for name in requested
        if name not in id_of
    ]
    if problems:
        raise InputError(*problems)
    selected = tuple(sorted({id_of[name] for name in requested}))
    if not selected:
        raise InputError("data.categories is empty; expected ids or names, or null for all")
    unnamed = [category for category in selected if not names[category].strip()]
    if unnamed:
        raise InputError(f"{file}: the category {unnamed[0]} has an empty name; give it one")
    return selected


def _check_same_names(parts: Sequence[_Part], selected: Iterable[int]) -> None:
    """Raise InputError if a selected category has different names in two parts."""
    first, *others = parts
    problems = []
    for category in selected:
        name = first.instances.categories[category]
        problems += [
            f"{part.file}: category {category} is {shown(other_name)}, but {shown(name)} in "
            f"{first.file}: number the categories alike"
            for part in others
            if (other_name := part.instances.categories.get(category, name)) != name
        ]
    if problems:
        raise InputError(*problems)


def _paths(
    root: str, parts: Sequence[_Part], selected: Iterable[int], problems: list[str]
) -> tuple[Path, ...]:
    """The paths of the images with a selected category; adds what is wrong to `problems`."""
    paths: list[Path] = []
    for part in parts:
        images = part.images_with(selected)
        names = [part.instances.images[image] for image in images]
        locations = [f"{part.file}, image id {image}" for image in images]
        try:
            paths += image_paths(Path(root, part.images), names, locations)
        except InputError as error:
            problems += error.problems
    return tuple(paths)
