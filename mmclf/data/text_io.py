"""Reading of text files, with errors for users."""

from __future__ import annotations

from pathlib import Path

from mmclf.errors import InputError
from mmclf.storage.file_limits import TEXT_BYTES, check_size


def read_text(path: Path, most: int = TEXT_BYTES) -> str:
    """The text of a file in UTF-8, without a byte order mark; line ends stay as they are.

    Raises InputError if the file cannot be read, is larger than `most` bytes, or is not UTF-8.
    """
    check_size(path, most, "text")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): expected a file that you may read"
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte {data[error.start]:#04x} is no UTF-8; save it as UTF-8"
        ) from error
