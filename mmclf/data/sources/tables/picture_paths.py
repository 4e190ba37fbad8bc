"""The images of a table's rows: their names, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from mmclf.data.image_locations import ImageLocation, ParquetCell
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
    if suffix is None or _are_cells(table, column):
        return names
    suffixes = SUFFIXES | {suffix.lower()}
    return [
        name if not name or PurePosixPath(name).suffix.lower() in suffixes else name + suffix
        for name in names
    ]


def with_named_cells(table: Table, column: str | None, root: Path) -> Table:
    """The table, with images inside its files called FILE:ROW where they have no name.

    Raises InputError if some of its files hold images, and others the paths of some.
    """
    if column is None or not _are_cells(table, column):
        return table
    cells, row_names = table.columns[column], table.row_names(root)
    paths = [row for row, cell in enumerate(cells) if not isinstance(cell, ParquetCell)]
    if paths:
        raise InputError(
            f"{table.where(paths[0])}: the column {column!r} holds the path of an image, in other "
            "files the images themselves: expected one of both; read them as two data sets"
        )
    named = [
        cell if cell.name else replace(cell, name=row_name)
        for cell, row_name in zip(cells, row_names, strict=True)
        if isinstance(cell, ParquetCell)
    ]
    return replace(table, columns={**table.columns, column: named})


def compared_names(
    table: Table, names: Sequence[str], groups: RowGroups, root: Path
) -> Sequence[str]:
    """The names (R,) by which rows of one sample may have different images.

    They are empty for images inside files without a name: the bytes are not compared.
    """
    if not groups.are_joined:
        return names
    return [
        "" if n == row_name else n for n, row_name in zip(names, table.row_names(root), strict=True)
    ]


def images_of(
    table: Table, column: str | None, names: Sequence[str], folder: Path, groups: RowGroups
) -> tuple[tuple[ImageLocation, ...], list[str]]:
    """Where the samples' images are, and the problems with that.

    Args:
        table: with the column.
        column: of the images; None for a table without.
        names: (R,) of the images, paths that start from the `folder` unless they are inside.
        folder: of the images.
        groups: the rows of each sample.

    """
    if column is None:
        return (), []
    if _are_cells(table, column):
        cells = table.columns[column]
        first_cells = (cells[row] for row in groups.first.tolist())
        return tuple(cell for cell in first_cells if isinstance(cell, ParquetCell)), []
    locations = [table.where(row) for row in groups.first.tolist()]
    try:
        return image_paths(folder, groups.of_first(names), locations), []
    except InputError as error:
        return (), list(error.problems)


def _are_cells(table: Table, column: str) -> bool:
    """Whether images stand in the table's files, at least in some."""
    return ParquetCell in set(map(type, table.columns[column]))
