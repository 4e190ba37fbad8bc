"""The settings of a table, by what they are about, each checked before anything is read.

They are those of `mmclf.data.sources.table.load`, where each is described.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmclf.data.problems import repeated
from mmclf.data.sources.caption_use import CaptionUse
from mmclf.data.sources.tables.label_cells import labels_of_cells
from mmclf.data.sources.tables.label_columns import labels_of_columns
from mmclf.data.sources.tables.labels import RowLabels, no_labels
from mmclf.data.sources.tables.reader import Table
from mmclf.data.sources.tables.table_files import TableFiles

Columns = str | Sequence[str | int] | None


@dataclass(frozen=True)
class ImageSettings:
    """The column of the images; None for a table without."""

    column: str | None
    suffix: str | None

    def problems(self) -> Iterator[str]:
        """What is wrong with the suffix."""
        if self.suffix is not None and not (self.suffix.startswith(".") and self.suffix[1:]):
            yield (
                f"data.image_suffix: found {self.suffix!r}, expected how images' names end, as .jpg"
            )


@dataclass(frozen=True)
class CaptionSettings:
    """The columns of the captions, and what becomes of several captions of a sample."""

    column: str | None
    columns: Columns
    use: CaptionUse | None

    @property
    def names(self) -> list[str]:
        """The columns; none for a table without captions."""
        return _names(self.columns, self.column)

    def problems(self) -> Iterator[str]:
        """That a column is named beside several."""
        yield from _both_given("caption_column", self.column, self.columns, "caption")


@dataclass(frozen=True)
class LabelSettings:
    """The columns of the labels, and how labels are written."""

    column: str | None
    columns: Columns
    labels: Sequence[str | int] | None
    case: str
    separator: str
    unlabelled: str

    @property
    def names(self) -> list[str]:
        """The columns; none for a table without labels."""
        return _names(self.columns, self.column)

    @property
    def expected(self) -> list[str] | None:
        """All labels in order; None for those in the table."""
        if self.labels is None:
            return None
        texts = [str(name).strip() for name in self.labels]
        return [text.lower() for text in texts] if self.case == "lower" else texts

    def problems(self) -> Iterator[str]:
        """What is wrong with the columns, the separator and the labels."""
        expected = self.expected
        yield from _both_given("label_column", self.column, self.columns, "labels")
        if not self.separator:
            yield "data.separator is empty; expected what stands between labels, as ' '"
        if not self.names and self.unlabelled != "keep":
            yield (
                "data.label_column is null: give a column of labels, or data.unlabelled=keep for a "
                "table without, as one to predict for"
            )
        if expected is not None:
            yield from repeated(expected, "data.labels", "label", "name it once")
            if not expected or "" in expected:
                yield "data.labels: expected a list of labels' names, or null for all found"

    def read(self, table: Table) -> RowLabels:
        """The labels of the table's rows."""
        lower = self.case == "lower"
        if not self.names:
            return no_labels(len(table), self.expected)
        if self.columns is not None:
            return labels_of_columns(table, self.names, self.expected, lower=lower)
        return labels_of_cells(table, self.names[0], self.separator, self.expected, lower=lower)


@dataclass(frozen=True)
class RowSettings:
    """Which rows are one sample, and the columns of ids, of groups and of parts."""

    per: str
    id_column: str | None
    group_column: str | None
    split_column: str | None


@dataclass(frozen=True)
class TableSettings:
    """All settings of a table."""

    files: TableFiles
    images: ImageSettings
    captions: CaptionSettings
    labels: LabelSettings
    rows: RowSettings

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        rows = self.rows
        single = (self.images.column, rows.id_column, rows.group_column, rows.split_column)
        named = [name for name in single if name is not None]
        return [*named, *self.captions.names, *self.labels.names]

    @property
    def id_column(self) -> str | None:
        """The column of the ids, or else that of the images; None for the rows' numbers."""
        return self.rows.id_column if self.rows.id_column is not None else self.images.column

    @property
    def are_joined(self) -> bool:
        """Whether the rows of one id are one sample."""
        has_captions = self.rows.id_column is not None and self.captions.use is not None
        return self.rows.per == "per_label" or has_captions

    def problems(self) -> Iterator[str]:
        """What is wrong with the settings, and with several of them together."""
        yield from self.captions.problems()
        if self.images.column is None and not self.captions.names:
            yield (
                "data.image_column and data.caption_column are both null, which leaves nothing to "
                "learn from: give one of them a column's name"
            )
        yield from self.files.problems()
        yield from self.images.problems()
        yield from self.labels.problems()
        if self.rows.per == "per_label" and self.id_column is None:
            yield (
                "data.rows=per_label joins rows by their ids: give data.id_column, or "
                "data.image_column"
            )
        if self.files.files and self.rows.split_column is not None:
            yield "data.files and data.split_column both name parts: give one of them"


def _names(several: Columns, single: str | None) -> list[str]:
    """The columns named by a setting for several, or else by that for one."""
    if several is None:
        return [single] if single is not None else []
    return [several] if isinstance(several, str) else [str(name).strip() for name in several]


def _both_given(key: str, single: str | None, several: Columns, usual: str) -> Iterator[str]:
    """The problem that a column is named beside a setting for several columns."""
    if several is not None and single not in (None, usual):
        yield f"data.{key} and data.{key}s are both given: give one of them"
