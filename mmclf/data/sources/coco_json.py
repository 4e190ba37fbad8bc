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

# The keys of each list's entries. Others, as outlines, are dropped while a file is parsed.
ENTRIES: Mapping[str, Mapping[str, type]] = {
    "images": {"id": int, "file_name": str},
    "categories": {"id": int, "name": str},
    "annotations": {"image_id": int, "category_id": int},
}
CAPTIONS: Mapping[str, Mapping[str, type]] = {
    "annotations": {"id": int, "image_id": int, "caption": str}
}
KEYS = frozenset([*ENTRIES, *(key for keys in ENTRIES.values() for key in keys), "caption"])
WORDS: Mapping[type, str] = {int: "a whole number", str: "a proper text", list: "a list"}


@dataclass(frozen=True)
class Instances:
    """The content of a file of instances.

    Args:
        images: file names by image id.
        categories_of: category ids by image id.
        categories: names by category id.

    """

    images: Mapping[int, str]
    categories_of: Mapping[int, set[int]]
    categories: Mapping[int, str]


def instances_in(tree: Mapping[str, Any], path: Path) -> Instances:
    """The instances in the content of a file, including crowds (`iscrowd`).

    Annotations that only hold a caption are passed over. Raises InputError if an id is repeated, or
    an annotation refers to an unknown image or category.
    """
    entries = checked_lists(_with_only(tree, "category_id"), ENTRIES, path)
    images, categories, annotations = (entries[name] for name in ENTRIES)
    problems = [
        *repeated((str(entry["id"]) for entry in images), path, "image id"),
        *repeated((str(entry["id"]) for entry in categories), path, "category id"),
        *repeated((entry["name"] for entry in categories), path, "category name"),
    ]
    file_names = {entry["id"]: entry["file_name"] for entry in images}
    category_names = {entry["id"]: entry["name"] for entry in categories}
    problems += _unknown_references(annotations, "image_id", file_names, "image", path)
    problems += _unknown_references(annotations, "category_id", category_names, "category", path)
    if problems:
        raise InputError(*problems)
    categories_of: dict[int, set[int]] = {image: set() for image in file_names}
    for entry in annotations:
        categories_of[entry["image_id"]].add(entry["category_id"])
    return Instances(file_names, categories_of, category_names)


def captions_in(
    tree: Mapping[str, Any], path: Path, images: Mapping[int, str]
) -> dict[int, tuple[str, ...]]:
    """The captions of each of the `images` (file names by id) that has one, by ascending id.

    Annotations that only hold a category are passed over. Raises InputError if the file belongs to
    other images.
    """
    lists = checked_lists(_with_only(tree, "caption"), CAPTIONS, path)
    captions: dict[int, list[tuple[int, str]]] = {}
    for entry in lists["annotations"]:
        if entry["image_id"] in images:
            captions.setdefault(entry["image_id"], []).append((entry["id"], entry["caption"]))
    if images and not captions:
        raise InputError(
            f"{path} has no caption for any of {len(images)} images: give the captions that belong "
            "to the instances"
        )
    if "images" in tree:
        listed_images = checked_lists(tree, {"images": ENTRIES["images"]}, path)["images"]
        mismatches = [
            f"id {entry['id']}: {shown(entry['file_name'])}, not {shown(images[entry['id']])}"
            for entry in listed_images
            if images.get(entry["id"], entry["file_name"]) != entry["file_name"]
        ]
        if mismatches:
            raise InputError(
                f"{path}: {len(mismatches)} images are called otherwise than in the instances "
                f"({listed(mismatches)}): give the captions that belong to them"
            )
    return {
        image: tuple(caption for _, caption in sorted(numbered))
        for image, numbered in captions.items()
    }


def _with_only(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The tree with the annotations that have `key`, or with all of them if none has it.

    Those of a category and those with a caption may stand in one file. What has neither stays, so
    that it is refused.
    """
    annotations = tree.get("annotations")
    other = "caption" if key == "category_id" else "category_id"
    if not isinstance(annotations, list) or not any(_has_key(entry, key) for entry in annotations):
        return tree
    kept = [
        annotation
        for annotation in annotations
        if _has_key(annotation, key) or not _has_key(annotation, other)
    ]
    return {**tree, "annotations": kept}


def _has_key(entry: object, key: str) -> bool:
    return isinstance(entry, dict) and entry.get(key) is not None


def read_tree(path: Path, keys: frozenset[str] = KEYS) -> dict[str, Any]:
    """The JSON object in a file with only these keys, at any depth.

    Raises InputError if the file cannot be read, or is no JSON object.
    """
    text = read_text(path)
    try:
        tree = json.loads(text, object_hook=lambda node: {k: node[k] for k in node if k in keys})
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}, column {error.colno}: this is no JSON ({error.msg}): "
            "get the file anew"
        ) from error
    # Numbers with thousands of digits, or too deeply nested lists.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: this JSON cannot be read ({error}): get it anew") from error
    if not isinstance(tree, dict):
        raise InputError(f"{path} holds {shown(tree)}, expected an object as MS COCO's")
    return tree


def checked_lists(
    tree: Mapping[str, Any], schema: Mapping[str, Mapping[str, type]], path: Path
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The lists of the tree, after checking that all entries have the keys with their types.

    Raises InputError with a problem for each list that is missing or invalid.
    """
    problems = []
    for name, keys in schema.items():
        entries = tree.get(name)
        if not isinstance(entries, list):
            present = ", ".join(tree) or "nothing"
            problems.append(f"{path} has no list {name!r}, it has {present}: is it another file?")
            continue
        for key, kind in keys.items():
            invalid = [i for i, entry in enumerate(entries) if not _has_value(entry, key, kind)]
            if invalid:
                problems.append(
                    f"{path}: {len(invalid)} of {len(entries)} {name} lack {key!r} as "
                    f"{WORDS[kind]}, number {invalid[0]} first: {shown(entries[invalid[0]])}; "
                    "correct or remove them"
                )
    if problems:
        raise InputError(*problems)
    return {name: tree[name] for name in schema}


def _has_value(entry: object, key: str, kind: type) -> bool:
    value = entry.get(key) if isinstance(entry, dict) else None
    # In Python True is an int, and JSON allows half a character (\ud800) in a string.
    return type(value) is kind and (kind is not str or _is_valid_text(str(value)))


def _is_valid_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _unknown_references(
    annotations: Iterable[Mapping[str, Any]],
    key: str,
    ids: Mapping[int, str],
    kind: str,
    path: Path,
) -> list[str]:
    """The problem that annotations refer to unknown ids, or no problem if none does."""
    unknown = [annotation[key] for annotation in annotations if annotation[key] not in ids]
    if not unknown:
        return []
    return [
        f"{path}: {len(unknown)} annotations refer to an unknown {kind}, the first to {key} "
        f"{shown(unknown[0])}: remove them, or add what they refer to"
    ]
