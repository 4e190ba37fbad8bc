"""Reader and writer of the competition's CSV, whose quoting no CSV reader understands.

As handed out, every caption stands in double quotes, quotes inside it are not doubled, and it may
hold line breaks: a record starts where a line starts with an image's name and a comma. A file that
is proper CSV throughout (as pandas or `write_rows` write it) is read as such.
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
# What a record with an odd name would look like, which must not vanish into the caption before it.
_LIKE_LABELLED = re.compile(r'[^",]+,[^",]*,"')
_LIKE_UNLABELLED = re.compile(r'[^",]+,"')
# Spaces and empty lines may stand between a caption's last quote and the next record.
_QUOTED = re.compile(r'"(.*)"\s*\Z', re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One record: the image's name, its labels (None in a file without them), caption and line."""

    id: str
    labels: tuple[str, ...] | None
    caption: str
    line: int


def read_rows(path: Path) -> list[Row]:
    """The records of a file; raises InputError naming file and line of what cannot be read."""
    text = read_text(path)
    header, _, body = text.partition("\n")
    columns = [name.strip().strip('"') for name in header.strip().split(",")]
    if columns not in (LABELLED, UNLABELLED):
        raise InputError(
            f"{path}, line 1: found the columns {header.strip()[:80]!r}, expected "
            f"{','.join(LABELLED)!r}, or {','.join(UNLABELLED)!r} for a test set without labels"
        )
    labelled = columns == LABELLED
    rows = _read_proper(body, labelled)
    return rows if rows is not None else _read_handed_out(body, labelled, path)


def write_rows(path: Path, rows: Iterable[tuple[str, Sequence[str] | None, str]]) -> None:
    """Write (id, labels, caption) records as proper CSV, every caption quoted."""
    rows = list(rows)
    labelled = any(labels is not None for _, labels, _ in rows)
    lines = [",".join(LABELLED if labelled else UNLABELLED)]
    for one, labels, caption in rows:
        quoted = '"' + caption.replace('"', '""') + '"'
        lines.append(",".join([one, " ".join(labels or ()), quoted] if labelled else [one, quoted]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def _read_proper(body: str, labelled: bool) -> list[Row] | None:
    """The records if the whole text is proper CSV, else None."""
    width = 3 if labelled else 2
    reader = csv.reader(io.StringIO(body, newline=""), strict=True, skipinitialspace=True)
    rows = []
    line = 2
    try:
        for fields in reader:
            if fields:
                if len(fields) != width or not fields[0].strip() or "\n" in fields[0]:
                    return None
                rows.append(_row(fields[0], fields[1] if labelled else None, fields[-1], line))
            line = reader.line_num + 2
    except csv.Error:
        return None
    return rows


def _read_handed_out(body: str, labelled: bool, path: Path) -> list[Row]:
    starts = [match.start() for match in _START.finditer(body)]
    before = body[: starts[0]] if starts else body
    if before.strip():
        raise InputError(
            f"{path}, line 2: found {before.strip()[:60]!r}, expected a record that starts with an "
            "image's name and a comma, as 17.jpg,"
        )
    rows = []
    line = 2 + before.count("\n")
    for start, end in pairwise([*starts, len(body)]):
        record = body[start:end]
        rows.append(_split_record(record, labelled, path, line))
        line += record.count("\n")
    return rows


def _split_record(record: str, labelled: bool, path: Path, line: int) -> Row:
    fields = (_LABELLED if labelled else _UNLABELLED).match(record)
    quoted = _QUOTED.match(fields[3]) if fields is not None else None
    if fields is None or (quoted is None and '"' in fields[3]):
        raise InputError(
            f"{path}, line {line}: found {record.strip()[:60]!r}, expected "
            f"{'ImageID,Labels,' if labelled else 'ImageID,'}" + '"Caption"'
        )
    caption = quoted[1] if quoted is not None else fields[3].rstrip("\r\n")
    for number, inner in enumerate(caption.split("\n")[1:], start=line + 1):
        if (_LIKE_LABELLED if labelled else _LIKE_UNLABELLED).match(inner):
            raise InputError(
                f"{path}, line {number}: {inner.strip()[:60]!r} looks like a record, but its "
                "ImageID is no file name as 17.jpg; mend it, or write the file as proper CSV"
            )
    # A field that csv refuses for its length, in a file whose quotes may yet be doubled.
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
    return _row(fields[1], fields[2] if labelled else None, caption, line)


def _row(one: str, labels: str | None, caption: str, line: int) -> Row:
    return Row(one, tuple(labels.split()) if labels is not None else None, caption, line)
