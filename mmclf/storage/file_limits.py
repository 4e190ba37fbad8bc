"""How large files of data and of models may be: memory and time follow what is asked for.

A small file can claim to be large, and a sparse one be large and take no space. What is above a
limit is refused before it is read.
"""

from __future__ import annotations

from pathlib import Path

from mmclf.errors import InputError

MB = 10**6
# Of a table or an annotation file as text, also unpacked; in memory it takes several times as much.
# That of MS COCO's training set has 470 MB.
TEXT_BYTES = 1000 * MB
TABLE_CELLS = 10**8  # values of the columns of a Parquet table, which can claim any number
IMAGE_BYTES = 256 * MB  # of an image file
MAX_PIXELS = 2**26  # of an image, as 8192 x 8192; decoding takes up to 16 bytes a pixel
# Of an image, times the scans of a progressive JPEG, each of which goes over all of its pixels.
SCANNED_PIXELS = 2**31
TOKENIZER_BYTES = 64 * MB  # of each file of a tokenizer
RECORD_BYTES = 64 * MB  # of a file of settings or names, as config.json of a model
YAML_BYTES = 4 * MB  # of a configuration, which is read at about 1 MB a second
RECORD_NODES = 10**6  # values in such a file, each counted as often as it is referred to
ARRAY_BYTES = 4000 * MB  # of the arrays in a file, unpacked


def check_size(path: Path, most: int, kind: str) -> None:
    """Raise InputError if the file at `path` is larger than `most` bytes.

    A file that is missing, or no file, is left to whoever reads it.
    """
    try:
        size = path.stat().st_size
    except OSError:
        return
    if size > most:
        raise InputError(f"{path} {too_large(size, most, kind)}")


def too_large(size: int, most: int, kind: str) -> str:
    """What is said of a file of so many bytes."""
    return (
        f"has {in_mb(size)} MB, expected at most {in_mb(most)} MB of {kind}: leave out what is not "
        "needed, or get the file anew"
    )


def in_mb(size: int) -> str:
    """A size in MB, so that one above a limit never reads as the limit."""
    whole, rest = divmod(size, MB)
    return f"{whole:,}" if rest == 0 else f"{size / MB:,.1f}" if rest > MB // 20 else f"{whole:,}.1"
