"""The settings that read MS COCO's files, guessed from what each JSON file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mmclf.data.guess.pictures import find_pictures
from mmclf.data.guess.settings import Guess, Setting
from mmclf.data.problems import listed, shown
from mmclf.data.sources import coco_json, coco_karpathy
from mmclf.errors import InputError

# MS COCO's other files, by the beginning of their names; they are large.
OTHERS = ("person_keypoints", "stuff_", "panoptic", "image_info")
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class _File:
    """What a JSON file holds.

    Args:
        path: of the file.
        names: of the images' files, of a file of instances.
        categories: how many there are.
        images: ids of the images, of a file of instances.
        captioned: ids of the images with captions.
        captions: how many there are.
        is_karpathy: whether it is Karpathy's split.

    """

    path: Path
    names: Sequence[str] = ()
    categories: int = 0
    images: frozenset[int] = frozenset()
    captioned: frozenset[int] = frozenset()
    captions: int = 0
    is_karpathy: bool = False


def guess_coco(files: Sequence[Path], root: Path, chosen: Path | None = None) -> Guess | None:
    """Guess what the JSON files below `root` are to each other; None if they are not MS COCO's.

    Raises InputError if none has instances, or several could be the same part.

    Args:
        files: JSON files; those that cannot be read are passed over.
        root: folder of all files, and of the images.
        chosen: the one file of instances that is meant; None for all.

    """
    read = [_read(file, is_meant=file == chosen) for file in files if _may_be(file, chosen)]
    captions = [file for file in read if file.captioned]
    karpathy = [file for file in read if file.is_karpathy]
    instances = [file for file in read if file.names]
    if any(file.path == chosen for file in instances):
        instances = [file for file in instances if file.path == chosen]
    if not instances:
        others = [file.path.name for file in (*captions, *karpathy)]
        if not others:
            return None
        raise InputError(
            f"{root} has captions ({listed(others)}), but no labels: put a file of instances in MS "
            "COCO's format beside them"
        )
    settings: list[Setting] = []
    if karpathy:
        path = karpathy[0].path.relative_to(root).as_posix()
        settings.append(Setting("karpathy", path, "its parts and captions are taken"))
        captions = []
    for part, file in _parts(instances).items():
        settings += _part(part, file, captions, root)
    if karpathy:
        settings = [setting for setting in settings if not setting.key.endswith("captions")]
    names = listed([shown(file.path.name) for file in instances])
    return Guess("coco", f"instances in MS COCO's format, {names}", root, tuple(settings))


def _may_be(file: Path, chosen: Path | None) -> bool:
    return file == chosen or not file.name.startswith(OTHERS)


def _read(path: Path, *, is_meant: bool) -> _File:
    try:
        tree = coco_json.read_tree(path, coco_json.KEYS | coco_karpathy.KEYS)
    except InputError:
        if is_meant:
            raise
        return _File(path)
    lists = {key: _objects(tree.get(key)) for key in ("images", "annotations", "categories")}
    if any("sentences" in image for image in lists["images"]):
        return _File(path, is_karpathy=True)
    captioned = [
        annotation["image_id"]
        for annotation in lists["annotations"]
        if annotation.get("caption") is not None and type(annotation.get("image_id")) is int
    ]
    boxes = [
        annotation
        for annotation in lists["annotations"]
        if annotation.get("category_id") is not None
    ]
    images = lists["images"] if boxes and lists["categories"] else []
    return _File(
        path,
        names=[str(image.get("file_name", "")) for image in images],
        categories=len(lists["categories"]),
        images=frozenset(image["id"] for image in images if type(image.get("id")) is int),
        captioned=frozenset(captioned),
        captions=len(captioned),
    )


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _parts(instances: Sequence[_File]) -> dict[str, _File]:
    """The file of each part, by the parts' names in the files' names; a single one is train's."""
    if len(instances) == 1:
        return {"train": instances[0]}
    parts: dict[str, _File] = {}
    unclear = []
    for file in instances:
        part = next((name for name in PARTS if name in file.path.name.casefold()), None)
        if part is None or part in parts:
            unclear.append(file.path.name)
        else:
            parts[part] = file
    if unclear or "train" not in parts:
        names = listed([file.path.name for file in instances])
        raise InputError(
            f"{instances[0].path.parent} holds several files of instances ({names}), and their "
            "names do not tell which is train, val or test: give one of them"
        )
    return {part: parts[part] for part in PARTS if part in parts}


def _part(part: str, file: _File, captions: Sequence[_File], root: Path) -> Iterator[Setting]:
    prefix = "" if part == "train" else f"{part}_"
    path = file.path.relative_to(root).as_posix()
    why = f"{len(file.names)} images, {file.categories} categories"
    yield Setting(f"{prefix}instances", path, why)
    # The captions of the most of its images; its own rather than another file's.
    fitting = sorted(
        captions,
        key=lambda other: (len(other.captioned & file.images), other is file),
        reverse=True,
    )
    if fitting and fitting[0].captioned & file.images:
        of, where = fitting[0], fitting[0].path.relative_to(root).as_posix()
        several = f"{of.captions / len(of.captioned):.1f} an image"
        hint = (
            "; data.caption_use=join or each takes all" if of.captions > len(of.captioned) else ""
        )
        yield Setting(f"{prefix}captions", where, f"{several}{hint}")
    else:
        yield Setting(f"{prefix}captions", None, "no file has captions of these images")
    yield _images(prefix, file, root)


def _images(prefix: str, file: _File, root: Path) -> Setting:
    pictures = find_pictures([root], file.names)
    if pictures.present > 0:
        why = f"{pictures.present} of {pictures.tried} that were looked for are there"
        return Setting(f"{prefix}images", pictures.folder, why)
    # As MS COCO calls them: instances_train2017.json and train2017.
    folder = file.path.stem.partition("_")[2] or "."
    name = PurePosixPath(file.names[0]).as_posix()
    return Setting(f"{prefix}images", folder, f"{shown(name)} was found nowhere below root")
