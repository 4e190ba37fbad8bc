"""Reader of Karpathy's split of image captions: dataset_coco.json and those of Flickr.

It has each image's part and captions, and no labels. Source: A. Karpathy, L. Fei-Fei, Deep
Visual-Semantic Alignments for Generating Image Descriptions, CVPR 2015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from mmclf.data.problems import repeated, shown, unknown
from mmclf.data.sources.coco_json import checked_lists, read_tree
from mmclf.data.sources.coco_parts import CocoImage
from mmclf.errors import InputError

ENTRIES: Mapping[str, Mapping[str, type]] = {
    "images": {"filename": str, "split": str, "sentences": list}
}
SENTENCES: Mapping[str, Mapping[str, type]] = {"sentences": {"raw": str}}
KEYS = frozenset(["images", "filename", "split", "sentences", "cocoid", "raw"])
# Models are trained on the images of `restval`, the rest of MS COCO's own validation set, too.
PARTS: Mapping[str, str] = {"train": "train", "restval": "train", "val": "val", "test": "test"}


@dataclass(frozen=True)
class KarpathyImage:
    """An image of the split.

    Args:
        key: MS COCO's image id, or where there is none the file's name.
        part: `train`, `val` or `test`.
        captions: in the file's order.

    """

    key: int | str
    part: str
    captions: tuple[str, ...]


def read_karpathy(path: Path) -> tuple[KarpathyImage, ...]:
    """Read the images of the split; raises InputError with what cannot be used."""
    tree = read_tree(path, KEYS)
    entries = checked_lists(tree, ENTRIES, path)["images"]
    # Of all images at once, so that what is wrong is counted once.
    sentences = [sentence for entry in entries for sentence in entry["sentences"]]
    checked_lists({"sentences": sentences}, SENTENCES, path)
    splits = [(entry["split"], f"image {entry['filename']}") for entry in entries]
    keys = [_key(entry) for entry in entries]
    problems = [
        *unknown(splits, PARTS, path, f"expected {', '.join(PARTS)}", "split"),
        *repeated(map(str, keys), path, "image"),
    ]
    if problems:
        raise InputError(*problems)
    return tuple(
        KarpathyImage(
            key,
            PARTS[entry["split"]],
            tuple(sentence["raw"].strip() for sentence in entry["sentences"]),
        )
        for key, entry in zip(keys, entries, strict=True)
    )


def _key(entry: Mapping[str, Any]) -> int | str:
    number = entry.get("cocoid")
    return number if type(number) is int else str(entry["filename"])


def join_karpathy(
    images: Sequence[CocoImage], split: Sequence[KarpathyImage], path: Path
) -> tuple[list[CocoImage], list[str]]:
    """The images that the split names, with its parts and captions; and notes on the others.

    They are joined by MS COCO's image id, or by the file's name where the split has no id. Raises
    InputError if several images have the same, or none is in both.
    """
    by_key = {image.key: image for image in split}
    joined: list[CocoImage] = []
    keys: list[int | str] = []
    for image in images:
        name = PurePosixPath(image.name).name
        key: int | str = image.id if image.id in by_key else name
        if key in by_key:
            keys.append(key)
            joined.append(replace(image, part=by_key[key].part, captions=by_key[key].captions))
    problems = repeated(
        map(str, keys),
        path,
        "image",
        "its instances must stand in one file, data.instances or data.val_instances, say",
    )
    if images and not joined:
        problems.append(
            f"{path} names none of {len(images)} images of the instances: its first is "
            f"{shown(split[0].key) if split else 'missing'}, theirs {images[0].id}, "
            f"{shown(images[0].name)}: give the instances of the same images"
        )
    if problems:
        raise InputError(*problems)
    return joined, _notes(len(images) - len(joined), len(split) - len(joined), path)


def _notes(not_in_split: int, not_in_instances: int, path: Path) -> list[str]:
    notes = []
    if not_in_split:
        notes.append(f"{not_in_split} images with instances are not in {path} and were left out")
    if not_in_instances:
        notes.append(f"{not_in_instances} images of {path} have no instances and were left out")
    return notes
