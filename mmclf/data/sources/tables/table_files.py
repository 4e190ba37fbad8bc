"""The files of a table: which they are for each part, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.data.sources.tables.reader import Table, read_table, table_files
from mmclf.data.sources.tables.text_stream import AUTO, encoding_problems
from mmclf.errors import InputError, suggestion

# The values of the split column, and the names of files, with the parts they mean; "" is left to
# the split.
PARTS: Mapping[str, str] = {
    "": "",
    "train": "",
    **dict.fromkeys(("val", "validation", "valid", "dev"), "val"),
    "test": "test",
}
LAYOUT = """expected
  ROOT/{file}  with a row for each sample, and a header that names its columns
  ROOT/{images}  the folder that the table's image paths start from"""
TAB = "tab"  # as a delimiter, for the character


@dataclass(frozen=True)
class TableFiles:
    """The files of a table, below a folder `root`; settings as in `mmclf.data.sources.table.load`.

    One of `file` and `files` is given.
    """

    root: str
    file: str | None
    files: Mapping[str, str] | None
    images: str
    delimiter: str = AUTO
    encoding: str = AUTO

    @property
    def image_folder(self) -> Path:
        """The folder that the images' paths start from."""
        return Path(self.root, self.images)

    def problems(self) -> Iterator[str]:
        """What is wrong with the settings of how files are written."""
        yield from encoding_problems(self.encoding)
        is_character = len(self.delimiter) == 1 and self.delimiter not in '"\r\n'
        if self.delimiter not in (AUTO, TAB) and not is_character:
            yield (
                f"data.delimiter: found {self.delimiter!r}, expected auto, or the one character "
                "between cells, as ';' or tab"
            )

    def names(self) -> dict[str, str]:
        """The name of a file, or of several, by part; raises InputError unless there is one."""
        if not Path(self.root).is_dir():
            raise InputError(f"data.root: there is no folder {self.root}; {self._layout()}")
        if (self.file is None) == (not self.files):
            given = "neither is" if self.file is None else "both are"
            raise InputError(
                f"data.file and data.files: {given} given; expected data.file=FILE, or a file for "
                "each part, as data.files={train: a.csv, val: b.csv, test: c.csv}; "
                f"{self._layout()}"
            )
        if self.file is not None:
            return {"": self.file}
        files = self.files if self.files is not None else {}
        parts = ("train", "val", "test")
        problems = [
            f"data.files.{part}: there is no such part: {suggestion(part, parts)}"
            for part in files
            if part.strip().casefold() not in PARTS or not part.strip()
        ]
        if problems:
            raise InputError(*problems)
        return {part.strip().casefold(): name for part, name in files.items()}

    def paths(self) -> dict[str, list[Path]]:
        """The files of each part's table; raises InputError if a part has none."""
        paths = {}
        for part, name in self.names().items():
            try:
                paths[part] = table_files(Path(self.root), name)
            except InputError as error:
                key = f"data.files.{part}" if part else "data.file"
                raise InputError(f"{key}: {error}; {self._layout(name)}") from error
        return paths

    def read(
        self, columns: Sequence[str], label_columns: Sequence[str], image_column: str | None
    ) -> tuple[Table, list[str]]:
        """The `columns` of all parts as one table, and the part of each row.

        Files of the test part may lack the columns of the labels. Raises InputError if a file
        cannot be read, or lacks a column.
        """
        paths = self.paths()
        files = [(path, part) for part, several in paths.items() for path in several]
        table = read_table(
            [path for path, _ in files],
            columns,
            optional={path: label_columns for path, part in files if part == "test"},
            delimiter="\t" if self.delimiter == TAB else self.delimiter,
            encoding=self.encoding,
            pictures=image_column,
        )
        if len(paths) == 1:
            return table, [*paths] * len(table)
        return table, [files[file][1] for file in table.file_of.tolist()]

    def _layout(self, file: str | None = None) -> str:
        name = file if file is not None else self.file
        return LAYOUT.format(file=name if name is not None else "FILE", images=self.images)
