"""The captions of a table's samples: of one column or several, of lists, of several rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import cast

from mmclf.data.sources.caption_use import CaptionUse, UsedCaptions, use_captions
from mmclf.data.sources.tables.list_cells import are_lists, list_items
from mmclf.data.sources.tables.reader import Table
from mmclf.data.sources.tables.rows import RowGroups


def read_captions(
    table: Table, columns: Sequence[str], groups: RowGroups, use: CaptionUse | None
) -> tuple[UsedCaptions, list[str]]:
    """The captions in the `columns` of the table, and the problems with them.

    A caption that stands in several rows of a sample counts once. Raises InputError if a column
    cannot be read.

    Args:
        table: with the columns.
        columns: names, or `PREFIX*`; none for a table without captions.
        groups: the rows of each sample.
        use: the `first` of several captions, all of them `join`ed, or `each` of them; None for the
            first of a row's, where rows of one sample must not differ.

    """
    names = list(dict.fromkeys(name for pattern in columns for name in table.matching(pattern)))
    if not names:
        return UsedCaptions(("",) * len(groups.first), (), ()), []
    by_column = [_column(table, name) for name in names]
    if len(names) == 1 and not groups.are_joined and set(map(type, by_column[0])) <= {str}:
        return UsedCaptions(tuple(cast("Sequence[str]", by_column[0])), (), ()), []
    of_row = [_several(cells) for cells in zip(*by_column, strict=True)]
    of_sample = [
        tuple(dict.fromkeys(chain.from_iterable(of_row[row] for row in rows)))
        for rows in groups.rows
    ]
    problems = []
    first_rows = groups.first[groups.sample_of].tolist()
    if use is None and any(
        of_row[row] != of_row[first_row] for row, first_row in enumerate(first_rows)
    ):
        problems.append(
            f"{table.path}: rows of one id have different captions, and are one sample: take the "
            "first, all of them as one text, or each, by data.caption_use=first, join or each"
        )
    return use_captions(of_sample, use if use is not None else "first"), problems


def _column(table: Table, name: str) -> Sequence[str | tuple[str, ...]]:
    """The cells of a column, as lists if all of them are lists of texts."""
    cells = table.cells(name)
    texts = [cell for cell in cells if isinstance(cell, str)]
    if not are_lists(texts):
        return cells
    lists = {text: list_items(text) for text in dict.fromkeys(texts)}
    if any(items is None for items in lists.values()):
        return cells  # "[inaudible]" is a caption, if an odd one
    return [(lists[cell] or ()) if isinstance(cell, str) else cell for cell in cells]


def _several(cells: Sequence[str | tuple[str, ...]]) -> tuple[str, ...]:
    """The captions of a row's cells that hold anything."""
    texts: list[str] = []
    for cell in cells:
        texts += (cell,) if isinstance(cell, str) else cell
    return tuple(text for text in texts if text.strip())
