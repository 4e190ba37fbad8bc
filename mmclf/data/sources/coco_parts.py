"""The images of MS COCO's files, each with its part, its categories and its captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.data.sources.coco_json import captions_in, instances_in, read_tree
from mmclf.errors import InputError


@dataclass(frozen=True)
class CocoImage:
    """An image of a file of instances.

    Args:
        file: of the instances.
        id: in that file.
        folder: of the image, below the root.
        name: of the image's file, below that folder.
        categories: the ids of those that it shows.
        captions: in their order.
        part: `train`, `val` or `test`.

    """

    file: Path
    id: int
    folder: str
    name: str
    categories: frozenset[int]
    captions: tuple[str, ...]
    part: str

    @property
    def location(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}, image id {self.id}"


@dataclass(frozen=True)
class CocoPart:
    """What a file of instances holds.

    Args:
        file: of the instances.
        categories: names by id.
        images: in the file's order.

    """

    file: Path
    categories: Mapping[int, str]
    images: Sequence[CocoImage]


@dataclass(frozen=True)
class PartFiles:
    """The settings of a part: files and the folder of the images, below the root.

    Args:
        name: `train`, `val` or `test`.
        instances: file of the instances.
        captions: file of the captions, which may be the same.
        images: folder.

    """

    name: str
    instances: str | None
    captions: str | None
    images: str | None


def read_part(root: Path, files: PartFiles) -> CocoPart:
    """Read a part; raises InputError if a file is missing or damaged, or belongs to another."""
    assert files.instances is not None
    assert files.images is not None
    file = root / files.instances
    tree = read_tree(file)
    content = instances_in(tree, file)
    captions: Mapping[int, tuple[str, ...]] = {}
    if files.captions is not None:
        captions_file = root / files.captions
        # A large file takes long to read.
        captions_tree = tree if captions_file == file else read_tree(captions_file)
        captions = captions_in(captions_tree, captions_file, content.images)
    images = [
        CocoImage(
            file=file,
            id=image,
            folder=files.images,
            name=content.images[image],
            categories=frozenset(categories),
            captions=captions.get(image, ()),
            part=files.name,
        )
        for image, categories in content.categories_of.items()
    ]
    return CocoPart(file, content.categories, images)


def read_own_part(root: Path, files: PartFiles, *, has_captions: bool) -> list[CocoPart]:
    """The source's own part; empty if it is not configured. Raises InputError if incomplete.

    `has_captions`: whether the training part has a file of captions.
    """
    if files.instances is None and files.captions is None and files.images is None:
        return []
    needed = {"instances": files.instances, "images": files.images}
    if has_captions:
        needed["captions"] = files.captions
    for key, value in needed.items():
        if value is None:
            raise InputError(
                f"data.{files.name}_{key} is missing: a {files.name} set of its own needs "
                f"{', '.join(f'data.{files.name}_{other}' for other in needed)}"
            )
    if not has_captions and files.captions is not None:
        raise InputError(
            f"data.{files.name}_captions is given, but data.captions is null: give both"
        )
    return [read_part(root, files)]
