"""Where an image is: a file of its own, or a cell of a Parquet file that holds its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.storage.store.file_hasher import FileHasher


@dataclass(frozen=True, slots=True)
class ParquetCell:
    """A cell of a Parquet file that holds the bytes of an image, or should.

    Args:
        file: that holds it.
        column: of bytes, or of structs with a field `bytes`.
        row: from 0.
        name: of the image, the same for rows with the same one; empty if it has none.

    """

    file: Path
    column: str
    row: int
    name: str = ""

    def __str__(self) -> str:
        """Where the image stands, for people."""
        return f"{self.file}, row {self.row + 1}"


ImageLocation = Path | ParquetCell


def image_digests(images: Sequence[ImageLocation], hasher: FileHasher) -> list[str | None]:
    """The digest of each image's content, None for one that is missing or cannot be read.

    Of a cell it is the digest of its file, with its column and row.
    """
    files = list(dict.fromkeys(image.file for image in images if isinstance(image, ParquetCell)))
    paths = [image for image in images if isinstance(image, Path)]
    of_path = iter(hasher.digests(paths))
    of_file = dict(zip(files, hasher.digests(files), strict=True))
    return [
        next(of_path) if isinstance(image, Path) else _cell_digest(image, of_file[image.file])
        for image in images
    ]


def _cell_digest(cell: ParquetCell, of_file: str | None) -> str | None:
    return None if of_file is None else f"{of_file} {cell.row} {cell.column}"
