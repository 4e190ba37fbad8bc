"""MS COCO's annotations as a data source: the categories that an image shows are its labels."""

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
    """What one file of instances says, with captions by image id; `name` is train, val or test."""

    name: str
    file: Path
    instances: Instances
    captions: Mapping[int, str]
    images: str

    def showing(self, chosen: Iterable[int]) -> list[int]:
        """The ids of the images that show a chosen category, in the file's order."""
        wanted = frozenset(chosen)
        return [
            image
            for image, categories in self.instances.categories_of.items()
            if not categories.isdisjoint(wanted)
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
    """A sample for each image that shows one of the `categories` (ids or names; None for all).

    Images that show none are left out; a crowd counts as well as one. The caption is that of the
    lowest id, an empty text if an image has none. Ids are the images' paths below `root`. What
    `val_` and `test_` name is the source's own validation and test set. Raises InputError if a file
    is missing or damaged, a category is unknown, or the files do not belong together.
    """
    _check_layout(root, instances, captions, images)
    parts = [
        _read(root, "train", instances, captions, images),
        *_read_own(root, "val", val_instances, val_captions, val_images, captions),
        *_read_own(root, "test", test_instances, test_captions, test_images, captions),
    ]
    known = parts[0].instances.categories
    chosen = _chosen(categories, known, parts[0].file)
    _check_alike(parts, chosen)
    shown_by = [(part, image) for part in parts for image in part.showing(chosen)]
    if not shown_by:
        raise InputError(
            f"{parts[0].file}: no image shows any of the chosen categories: choose others by "
            "data.categories"
        )
    ids = [
        PurePosixPath(part.images, part.instances.images[image]).as_posix()
        for part, image in shown_by
    ]
    problems = repeated(ids, root, "image", "keep each image once")
    paths = _paths(root, parts, chosen, problems)
    if problems:
        raise InputError(*problems)
    label_ids = tuple(str(category) for category in chosen)
    sets = [
        [str(category) for category in part.instances.categories_of[image].intersection(chosen)]
        for part, image in shown_by
    ]
    return Samples(
        ids=tuple(ids),
        images=paths,
        captions=tuple(part.captions.get(image, "") for part, image in shown_by),
        labels=label_matrix(sets, label_ids),
        label_ids=label_ids,
        label_names=tuple(known[category] for category in chosen),
        own_val=np.array([part.name == "val" for part, _ in shown_by]),
        own_test=np.array([part.name == "test" for part, _ in shown_by]),
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
    found = read_instances(file)
    texts = read_captions(Path(root, captions), found.images) if captions is not None else {}
    return _Part(name, file, found, texts, images)


def _read_own(
    root: str,
    name: str,
    instances: str | None,
    captions: str | None,
    images: str | None,
    train_captions: str | None,
) -> list[_Part]:
    """The source's own part, none if nothing of it is given; part of it is refused."""
    if instances is None and captions is None and images is None:
        return []
    needed = {"instances": instances, "images": images}
    if train_captions is not None:
        needed["captions"] = captions
    for key, value in needed.items():
        if value is None:
            raise InputError(
                f"data.{name}_{key} is missing: a {name} set of its own needs "
                f"{', '.join(f'data.{name}_{one}' for one in needed)}"
            )
    if train_captions is None and captions is not None:
        raise InputError(f"data.{name}_captions is given, but data.captions is null: give both")
    assert instances is not None
    assert images is not None
    return [_read(root, name, instances, captions, images)]


def _chosen(
    wanted: Sequence[int | str] | None, known: Mapping[int, str], file: Path
) -> tuple[int, ...]:
    """The ids of the wanted categories, ascending."""
    ids = {name: category for category, name in known.items()}
    spelt = {str(category): category for category in known} | ids
    names = [str(one).strip() for one in wanted] if wanted is not None else [*ids]
    problems = [
        f"data.categories: {file} has no category {shown(name)}: {suggestion(name, ids)}"
        for name in names
        if name not in spelt
    ]
    if problems:
        raise InputError(*problems)
    chosen = tuple(sorted({spelt[name] for name in names}))
    if not chosen:
        raise InputError("data.categories is empty; expected ids or names, or null for all")
    bare = [category for category in chosen if not known[category].strip()]
    if bare:
        raise InputError(f"{file}: the category {bare[0]} has an empty name; give it one")
    return chosen


def _check_alike(parts: Sequence[_Part], chosen: Iterable[int]) -> None:
    """Raise InputError if a part gives a chosen category another name than the first part does."""
    first, *others = parts
    problems = []
    for category in chosen:
        name = first.instances.categories[category]
        problems += [
            f"{part.file}: category {category} is {shown(found)}, but {shown(name)} in "
            f"{first.file}: number the categories alike"
            for part in others
            if (found := part.instances.categories.get(category, name)) != name
        ]
    if problems:
        raise InputError(*problems)


def _paths(
    root: str, parts: Sequence[_Part], chosen: Iterable[int], problems: list[str]
) -> tuple[Path, ...]:
    """The paths of the images that show a chosen category; adds what is wrong to `findings`."""
    paths: list[Path] = []
    for part in parts:
        images = part.showing(chosen)
        names = [part.instances.images[image] for image in images]
        places = [f"{part.file}, image id {image}" for image in images]
        try:
            paths += image_paths(Path(root, part.images), names, places)
        except InputError as error:
            problems += error.problems
    return tuple(paths)
