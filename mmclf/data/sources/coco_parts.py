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


@dataclass(frozen=True)
class CocoFiles:
    """The settings of all files: those of the images that the split divides, and of own parts.

    Args:
        root: folder of all files.
        instances: file of the images, annotations and categories.
        captions: file of the captions, which may be the same; None without.
        images: folder of the images.
        val_instances: likewise, of the source's own validation set.
        val_captions: likewise.
        val_images: likewise.
        test_instances: likewise, of the source's own test set.
        test_captions: likewise.
        test_images: likewise.
        karpathy: file of Karpathy's split, whose parts and captions take the place of the others'.

    """

    root: str
    instances: str = "annotations/instances_train2017.json"
    captions: str | None = "annotations/captions_train2017.json"
    images: str = "train2017"
    val_instances: str | None = None
    val_captions: str | None = None
    val_images: str | None = None
    test_instances: str | None = None
    test_captions: str | None = None
    test_images: str | None = None
    karpathy: str | None = None

    @property
    def train(self) -> PartFiles:
        """The files of the images that the split divides."""
        return PartFiles("train", self.instances, self.captions, self.images)

    @property
    def own(self) -> tuple[PartFiles, PartFiles]:
        """The files of the source's own validation and test set."""
        val = PartFiles("val", self.val_instances, self.val_captions, self.val_images)
        return val, PartFiles("test", self.test_instances, self.test_captions, self.test_images)


def read_parts(
    root: Path, train: PartFiles, own: Sequence[PartFiles], *, labelled: bool = True
) -> list[CocoPart]:
    """Read the parts that are configured.

    Raises InputError if a file is missing or damaged, or the settings of a part are incomplete.

    Args:
        root: folder of all files.
        train: of the images that the split divides.
        own: of the source's own validation and test set.
        labelled: whether the categories are read; if not, the files need not have any.

    """
    configured = [
        files for files in own if (files.instances, files.captions, files.images) != (None,) * 3
    ]
    for files in configured:
        _check_complete(files, has_captions=train.captions is not None)
    return [_read(root, files, labelled=labelled) for files in (train, *configured)]


def _check_complete(files: PartFiles, *, has_captions: bool) -> None:
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


def _read(root: Path, files: PartFiles, *, labelled: bool) -> CocoPart:
    assert files.instances is not None
    assert files.images is not None
    file = root / files.instances
    tree = read_tree(file)
    unlabelled = {**tree, "annotations": [], "categories": []}
    content = instances_in(tree if labelled else unlabelled, file)
    captions: Mapping[int, tuple[str, ...]] = {}
    if files.captions is not None:
        captions_file = root / files.captions
        if captions_file != file:
            del tree, unlabelled  # of a large file they hold much memory
            tree = read_tree(captions_file)
        captions = captions_in(tree, captions_file, content.images)
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
