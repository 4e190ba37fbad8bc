"""A data source in the format of MS COCO: the categories in an image are its labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from mmclf.data.image_paths import image_paths
from mmclf.data.problems import listed, repeated, shown
from mmclf.data.samples import Samples, label_matrix
from mmclf.data.sources.caption_use import CaptionUse, use_captions
from mmclf.data.sources.coco_karpathy import join_karpathy, read_karpathy
from mmclf.data.sources.coco_parts import CocoFiles, CocoImage, CocoPart, read_parts
from mmclf.errors import InputError, suggestion

Unlabelled = Literal["error", "keep", "drop"]

LAYOUT = """expected, in the format of MS COCO,
  ROOT/{instances}  with images, annotations and categories
  ROOT/{captions}  with captions; it may be the same file; data.captions=null without
  ROOT/{images}  the folder of the images that file_name names"""


def load(
    root: str,
    instances: str = CocoFiles.instances,
    captions: str | None = CocoFiles.captions,
    images: str = CocoFiles.images,
    val_instances: str | None = None,
    val_captions: str | None = None,
    val_images: str | None = None,
    test_instances: str | None = None,
    test_captions: str | None = None,
    test_images: str | None = None,
    karpathy: str | None = None,
    categories: list[int | str] | None = None,
    caption_use: CaptionUse = "first",
    unlabelled: Unlabelled = "drop",
) -> Samples:
    """Read a sample for each image, its labels those of the `categories` that it shows.

    A category that no annotation has is left out; crowds count as instances. An image's captions
    are in the order of their ids. Ids are the images' paths below `root`. `CocoFiles` describes the
    files. Raises InputError if a file is missing or damaged, a category is unknown, or the files do
    not belong together.

    Args:
        categories: ids or names; None for all.
        caption_use: of several captions of an image.
        unlabelled: what becomes of images that show none of the categories.

    """
    files = CocoFiles(
        root,
        instances,
        captions,
        images,
        val_instances,
        val_captions,
        val_images,
        test_instances,
        test_captions,
        test_images,
        karpathy,
    )
    parts, coco_images, notes = _read(files)
    names, of_categories = _selected(categories, parts, coco_images)
    coco_images, of_labels = _labelled(coco_images, names, unlabelled, parts[0].file)
    return _samples(root, coco_images, names, caption_use, [*notes, *of_categories, *of_labels])


def load_unlabelled(files: CocoFiles, caption_use: CaptionUse = "first") -> Samples:
    """As `load`, without labels: the files need not have annotations and categories."""
    _, coco_images, notes = _read(files, labelled=False)
    return _samples(files.root, coco_images, {}, caption_use, notes)


def _read(
    files: CocoFiles, *, labelled: bool = True
) -> tuple[list[CocoPart], list[CocoImage], list[str]]:
    """The parts and their images, and notes."""
    train, own = files.train, files.own
    if files.karpathy is not None:
        _check_no_captions({f"{part.name}_captions": part.captions for part in own})
        train = replace(train, captions=None)
    check_layout(files.root, files.instances, train.captions, files.images)
    parts = read_parts(Path(files.root), train, own, labelled=labelled)
    coco_images = [image for part in parts for image in part.images]
    if files.karpathy is None:
        return parts, coco_images, []
    path = Path(files.root, files.karpathy)
    coco_images, notes = join_karpathy(coco_images, read_karpathy(path), path)
    return parts, coco_images, notes


def _samples(
    root: str,
    images: Sequence[CocoImage],
    categories: Mapping[int, str],
    caption_use: CaptionUse,
    notes: Sequence[str],
) -> Samples:
    """A sample for each image; raises InputError for repeated or wrong paths."""
    ids = [PurePosixPath(image.folder, image.name).as_posix() for image in images]
    problems = repeated(ids, root, "image", "keep each image once")
    paths = _paths(Path(root), images, problems)
    if problems:
        raise InputError(*problems)
    texts = use_captions([image.captions for image in images], caption_use)
    label_ids = tuple(str(category) for category in categories)
    label_sets = [
        [str(category) for category in image.categories if category in categories]
        for image in images
    ]
    return Samples(
        ids=tuple(ids),
        images=paths,
        captions=texts.captions,
        labels=label_matrix(label_sets, label_ids),
        label_ids=label_ids,
        label_names=tuple(categories.values()),
        own_val=np.array([image.part == "val" for image in images]),
        own_test=np.array([image.part == "test" for image in images]),
        notes=(*notes, *texts.notes),
        other_captions=texts.others,
    )


def _check_no_captions(files: Mapping[str, str | None]) -> None:
    problems = [
        f"data.{key} is given, but data.karpathy has the captions: leave one of them out"
        for key, file in files.items()
        if file is not None
    ]
    if problems:
        raise InputError(*problems)


def check_layout(root: str, instances: str, captions: str | None, images: str) -> None:
    """Raise InputError unless the folder and the files of instances and captions are there."""
    layout = LAYOUT.format(instances=instances, captions=captions, images=images)
    if not Path(root).is_dir():
        raise InputError(f"data.root: there is no folder {root}; {layout}")
    for file in (instances, captions):
        if file is not None and not Path(root, file).is_file():
            raise InputError(f"data.root: {root} has no {file}; {layout}")


def _selected(
    categories: Sequence[int | str] | None, parts: Sequence[CocoPart], images: Iterable[CocoImage]
) -> tuple[dict[int, str], list[str]]:
    """The names of the selected categories by ascending id, and a note on those left out.

    Raises InputError for unknown ones, those with different names in two parts, and if no
    annotation has any.
    """
    first = parts[0]
    selected = _selected_ids(categories, first.categories, first.file)
    _check_same_names(parts, selected)
    annotated = {category for image in images for category in image.categories}
    names = {id_: first.categories[id_] for id_ in selected if id_ in annotated}
    if not names:
        raise InputError(
            f"{first.file}: no image shows any of the chosen categories: choose others by "
            "data.categories"
        )
    unused = [shown(first.categories[id_]) for id_ in selected if id_ not in annotated]
    if not unused:
        return names, []
    return names, [
        f"{len(unused)} of {len(selected)} categories were left out, as no annotation has them: "
        f"{listed(unused)}"
    ]


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


def _check_same_names(parts: Sequence[CocoPart], selected: Iterable[int]) -> None:
    """Raise InputError if a selected category has different names in two parts."""
    first, *others = parts
    problems = []
    for category in selected:
        name = first.categories[category]
        problems += [
            f"{part.file}: category {category} is {shown(other_name)}, but {shown(name)} in "
            f"{first.file}: number the categories alike"
            for part in others
            if (other_name := part.categories.get(category, name)) != name
        ]
    if problems:
        raise InputError(*problems)


def _labelled(
    images: Sequence[CocoImage], categories: Mapping[int, str], unlabelled: Unlabelled, file: Path
) -> tuple[list[CocoImage], list[str]]:
    """The images to use, and a note on those that show none of the categories.

    Raises InputError if there are such, and `unlabelled` says so.
    """
    without = [image for image in images if image.categories.isdisjoint(categories)]
    if not without:
        return [*images], []
    problem = f"{len(without)} of {len(images)} images show none of the categories"
    if unlabelled == "keep":
        return [*images], [f"{problem}: they have no labels"]
    if unlabelled == "drop":
        note = f"{problem} and were left out: data.unlabelled=keep takes them"
        return [image for image in images if not image.categories.isdisjoint(categories)], [note]
    names = listed([image.name for image in without])
    raise InputError(
        f"{file}: {problem} ({names}): data.unlabelled=drop leaves them out, keep takes them "
        "without labels"
    )


def _paths(root: Path, images: Sequence[CocoImage], problems: list[str]) -> tuple[Path, ...]:
    """The images' paths; adds what is wrong to `problems`."""
    paths: dict[int, Path] = {}
    for folder in dict.fromkeys(image.folder for image in images):
        rows = [row for row, image in enumerate(images) if image.folder == folder]
        names = [images[row].name for row in rows]
        try:
            folder_paths = image_paths(root / folder, names, [images[row].location for row in rows])
        except InputError as error:
            problems += error.problems
        else:
            paths |= dict(zip(rows, folder_paths, strict=True))
    return tuple(paths[row] for row in sorted(paths))
