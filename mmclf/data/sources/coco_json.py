"""Reader of MS COCO's annotation files: instances and captions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmclf.data.problems import listed, repeated, shown
from mmclf.data.text_io import read_text
from mmclf.errors import InputError

# By list, the keys of its entries. All else, as outlines, is dropped while a file is parsed.
ENTRIES: Mapping[str, Mapping[str, type]] = {
    "images": {"id": int, "file_name": str},
    "categories": {"id": int, "name": str},
    "annotations": {"image_id": int, "category_id": int},
}
CAPTIONS: Mapping[str, Mapping[str, type]] = {
    "annotations": {"id": int, "image_id": int, "caption": str}
}
KEYS = frozenset([*ENTRIES, *(key for keys in ENTRIES.values() for key in keys), "caption"])
WORDS: Mapping[type, str] = {int: "a whole number", str: "a proper text"}


@dataclass(frozen=True)
class Instances:
    """By image id its file name and the ids of the categories it shows; by category id its name."""

    images: Mapping[int, str]
    categories_of: Mapping[int, set[int]]
    categories: Mapping[int, str]


def read_instances(path: Path) -> Instances:
    """The instances in a file, crowds (`iscrowd`) among them.

    Raises InputError if the file cannot be read, an id stands twice, or an annotation refers to
    what the file does not have.
    """
    entries = _entries(path, ENTRIES)
    images, categories, annotations = (entries[name] for name in ENTRIES)
    problems = [
        *repeated((str(one["id"]) for one in images), path, "image id"),
        *repeated((str(one["id"]) for one in categories), path, "category id"),
        *repeated((one["name"] for one in categories), path, "category name"),
    ]
    names = {one["id"]: one["file_name"] for one in images}
    called = {one["id"]: one["name"] for one in categories}
    problems += _dangling(annotations, "image_id", names, "image", path)
    problems += _dangling(annotations, "category_id", called, "category", path)
    if problems:
        raise InputError(*problems)
    categories_of: dict[int, set[int]] = {image: set() for image in names}
    for one in annotations:
        categories_of[one["image_id"]].add(one["category_id"])
    return Instances(names, categories_of, called)


def read_captions(path: Path, images: Mapping[int, str]) -> dict[int, str]:
    """A caption for each of the `images` (file names by id) that has any: that of the lowest id.

    Raises InputError if the file cannot be read, or is of other images.
    """
    tree = _tree(path)
    first: dict[int, tuple[int, str]] = {}
    for one in _checked(tree, CAPTIONS, path)["annotations"]:
        found = one["id"], one["caption"]
        if one["image_id"] in images:
            first[one["image_id"]] = min(first.get(one["image_id"], found), found)
    if images and not first:
        raise InputError(
            f"{path} has no caption for any of {len(images)} images: give the captions that belong "
            "to the instances"
        )
    if "images" in tree:
        own = _checked(tree, {"images": ENTRIES["images"]}, path)["images"]
        other = [
            f"id {one['id']}: {shown(one['file_name'])}, not {shown(images[one['id']])}"
            for one in own
            if images.get(one["id"], one["file_name"]) != one["file_name"]
        ]
        if other:
            raise InputError(
                f"{path}: {len(other)} images are called otherwise than in the instances "
                f"({listed(other)}): give the captions that belong to them"
            )
    return {image: caption for image, (_, caption) in first.items()}


def _entries(
    path: Path, wanted: Mapping[str, Mapping[str, type]]
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return _checked(_tree(path), wanted, path)


def _tree(path: Path) -> dict[str, Any]:
    """The object that the file holds, without what no reader here asks for."""
    text = read_text(path)
    try:
        tree = json.loads(text, object_hook=_slim)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}, column {error.colno}: this is no JSON ({error.msg}): "
            "get the file anew"
        ) from error
    # Numbers of thousands of digits, lists in lists without end.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: this JSON cannot be read ({error}): get it anew") from error
    if not isinstance(tree, dict):
        raise InputError(f"{path} holds {shown(tree)}, expected an object as MS COCO's")
    return tree


def _slim(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key in KEYS}


def _checked(
    tree: Mapping[str, Any], wanted: Mapping[str, Mapping[str, type]], path: Path
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The lists of the tree, every entry known to have the wanted keys with values of their types.

    Raises InputError with a finding for each list that lacks something.
    """
    problems = []
    for name, keys in wanted.items():
        entries = tree.get(name)
        if not isinstance(entries, list):
            had = ", ".join(tree) or "nothing"
            problems.append(f"{path} has no list {name!r}, it has {had}: is it another file?")
            continue
        for key, kind in keys.items():
            odd = [i for i, entry in enumerate(entries) if not _has(entry, key, kind)]
            if odd:
                problems.append(
                    f"{path}: {len(odd)} of {len(entries)} {name} lack {key!r} as {WORDS[kind]}, "
                    f"number {odd[0]} first: {shown(entries[odd[0]])}; correct or remove them"
                )
    if problems:
        raise InputError(*problems)
    return {name: tree[name] for name in wanted}


def _has(entry: object, key: str, kind: type) -> bool:
    value = entry.get(key) if isinstance(entry, dict) else None
    # True is an int for Python, and half a character (\ud800) a text for JSON.
    return type(value) is kind and (kind is int or _is_proper(str(value)))


def _is_proper(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _dangling(
    annotations: Iterable[Mapping[str, Any]],
    key: str,
    known: Mapping[int, str],
    what: str,
    path: Path,
) -> list[str]:
    """The finding that annotations refer to what the file does not have, if any do."""
    odd = [one[key] for one in annotations if one[key] not in known]
    if not odd:
        return []
    return [
        f"{path}: {len(odd)} annotations refer to an unknown {what}, the first to {key} "
        f"{shown(odd[0])}: remove them, or add what they refer to"
    ]
