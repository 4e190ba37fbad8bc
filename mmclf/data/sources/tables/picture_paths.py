"""The images of a table's rows: their names, and their paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from mmclf.data.image_paths import image_paths
from mmclf.data.sources.tables.reader import Table
from mmclf.data.sources.tables.rows import RowGroups
from mmclf.errors import InputError

# A name may hold dots: 2014.03.01 has no suffix of a picture.
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jp2")
)


def image_names(table: Table, column: str | None, suffix: str | None) -> list[str]:
    """The names (R,) of the images, with the `suffix` where they have none; empty without a column.

    Raises InputError if the column holds lists.
    """
    if column is None:
        return []
    names = table.texts(column)
    if suffix is None:
        return names
    known = SUFFIXES | {suffix.lower()}
    return [
        name if not name or PurePosixPath(name).suffix.lower() in known else name + suffix
        for name in names
    ]


def paths_of(
    table: Table, names: Sequence[str], folder: Path, groups: RowGroups
) -> tuple[tuple[Path, ...], list[str]]:
    """The paths of the samples' images inside the `folder`, and the problems with them."""
    if not names:
        return (), []
    locations = [table.place(row) for row in groups.first.tolist()]
    try:
        return image_paths(folder, groups.of_first(names), locations), []
    except InputError as error:
        return (), list(error.problems)
