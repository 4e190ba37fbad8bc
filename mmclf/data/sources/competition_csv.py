"""Reader and writer of the competition's CSV files, whose quoting is not standard.

In the original files every caption is in double quotes, quotes inside it are not doubled, and it
may contain line breaks: a record starts at a line that starts with an image's name and a comma. A
file that is valid CSV throughout (as pandas or `write_rows` write it) is read as such.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mmclf.data.text_io import read_text
from mmclf.errors import InputError

LABELLED = ["ImageID", "Labels", "Caption"]
UNLABELLED = ["ImageID", "Caption"]

_START = re.compile(r'^[^\s",]+\.[A-Za-z]{3,4},', re.MULTILINE)
_LABELLED = re.compile(r'([^\s",]+),([^",\r\n]*),(.*)', re.DOTALL)
_UNLABELLED = re.compile(r'([^\s",]+),()(.*)', re.DOTALL)
# Matches a record with an invalid name, which must not be read as part of the caption before it.
_LIKE_LABELLED = re.compile(r'[^",]+,[^",]*,"')
_LIKE_UNLABELLED = re.compile(r'[^",]+,"')
# Spaces and empty lines may follow a caption's last quote.
_QUOTED = re.compile(r'"(.*)"\s*\Z', re.DOTALL)


@dataclass(frozen=True)
class CompetitionRow:
    """One record of the file.

    Args:
        id: the image's name.
        labels: None in a file without labels.
        caption: its text.
        line: where the record starts.

    """

    id: str
    labels: tuple[str, ...] | None
    caption: str
    line: int


def read_rows(path: Path) -> list[CompetitionRow]:
    """Read the records of a file; raises InputError with the line that cannot be read."""
    text = read_text(path)
    header, _, body = text.partition("\n")
    columns = [name.strip().strip('"') for name in header.strip().split(",")]
    if columns not in (LABELLED, UNLABELLED):
        raise InputError(
            f"{path}, line 1: found the columns {header.strip()[:80]!r}, expected "
            f"{','.join(LABELLED)!r}, or {','.join(UNLABELLED)!r} for a test set without labels"
        )
    has_labels = columns == LABELLED
    rows = _read_valid_csv(body, has_labels)
    return rows if rows is not None else _read_original(body, has_labels, path)


def write_rows(path: Path, rows: Iterable[tuple[str, Sequence[str] | None, str]]) -> None:
    """Write (id, labels, caption) records as valid CSV, every caption quoted."""
    rows = list(rows)
    has_labels = any(labels is not None for _, labels, _ in rows)
    lines = [",".join(LABELLED if has_labels else UNLABELLED)]
    for sample_id, labels, caption in rows:
        quoted = '"' + caption.replace('"', '""') + '"'
        lines.append(
            ",".join(
                [sample_id, " ".join(labels or ()), quoted] if has_labels else [sample_id, quoted]
            )
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def _read_valid_csv(body: str, has_labels: bool) -> list[CompetitionRow] | None:
    """The records if the whole text is valid CSV, else None."""
    width = 3 if has_labels else 2
    reader = csv.reader(io.StringIO(body, newline=""), strict=True, skipinitialspace=True)
    rows = []
    line = 2
    try:
        for fields in reader:
            if fields:
                if len(fields) != width or not fields[0].strip() or "\n" in fields[0]:
                    return None
                rows.append(_row(fields[0], fields[1] if has_labels else None, fields[-1], line))
            line = reader.line_num + 2
    except csv.Error:
        return None
    return rows


def _read_original(body: str, has_labels: bool, path: Path) -> list[CompetitionRow]:
    starts = [match.start() for match in _START.finditer(body)]
    preamble = body[: starts[0]] if starts else body
    if preamble.strip():
        raise InputError(
            f"{path}, line 2: found {preamble.strip()[:60]!r}, expected a record that starts "
            "with an image's name and a comma, as 17.jpg,"
        )
    rows = []
    line = 2 + preamble.count("\n")
    for start, end in pairwise([*starts, len(body)]):
        record = body[start:end]
        rows.append(_split_record(record, has_labels, path, line))
        line += record.count("\n")
    return rows


def _split_record(record: str, has_labels: bool, path: Path, line: int) -> CompetitionRow:
    fields = (_LABELLED if has_labels else _UNLABELLED).match(record)
    quoted = _QUOTED.match(fields[3]) if fields is not None else None
    if fields is None or (quoted is None and '"' in fields[3]):
        raise InputError(
            f"{path}, line {line}: found {record.strip()[:60]!r}, expected "
            f"{'ImageID,Labels,' if has_labels else 'ImageID,'}" + '"Caption"'
        )
    caption = quoted[1] if quoted is not None else fields[3].rstrip("\r\n")
    for number, text in enumerate(caption.split("\n")[1:], start=line + 1):
        if (_LIKE_LABELLED if has_labels else _LIKE_UNLABELLED).match(text):
            raise InputError(
                f"{path}, line {number}: {text.strip()[:60]!r} looks like a record, but its "
                "ImageID is no file name as 17.jpg; mend it, or write the file as proper CSV"
            )
    # The csv module refuses a longer field, so the file may be valid CSV with doubled quotes.
    if len(caption) > csv.field_size_limit():
        raise InputError(
            f"{path}, line {line}: the caption of {fields[1]} has {len(caption)} characters, "
            f"expected at most {csv.field_size_limit()}: shorten it"
        )
    if quoted is None and "\n" in caption:
        raise InputError(
            f"{path}, line {line}: the caption of {fields[1]} runs over several lines without "
            'quotes; expected "Caption" in double quotes'
        )
    return _row(fields[1], fields[2] if has_labels else None, caption, line)


def _row(sample_id: str, labels: str | None, caption: str, line: int) -> CompetitionRow:
    return CompetitionRow(
        sample_id, tuple(labels.split()) if labels is not None else None, caption, line
    )
