"""Files that a table names otherwise than they are called: in other case, or without suffix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from mmclf.data.image_locations import ImageLocation


def likely_files(images: Sequence[ImageLocation]) -> list[Path | None]:
    """For each image's path the file beside it that is likely meant, or None.

    That is one whose name differs in case alone, or else by a suffix that the path lacks. Each
    folder is listed once. For a cell of a Parquet file it is None.
    """
    parents = dict.fromkeys(image.parent for image in images if isinstance(image, Path))
    folders = {parent: _names(parent) for parent in parents}
    return [
        _likely(image, folders[image.parent]) if isinstance(image, Path) else None
        for image in images
    ]


def _names(folder: Path) -> dict[str, list[str]]:
    """The names of a folder's files by themselves and without suffix, in lower case."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    try:
        for name in sorted(entry.name for entry in folder.iterdir()):
            names[name.casefold()].append(name)
            names[Path(name).stem.casefold()].append(name)
    except OSError:
        return {}
    return names


def _likely(path: Path, names: dict[str, list[str]]) -> Path | None:
    matches = names.get(path.name.casefold(), ())
    return path.with_name(matches[0]) if matches and path.name not in matches else None
