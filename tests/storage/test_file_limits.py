"""Files that are larger than what is read of them are refused before they are read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from mmclf.data import text_io
from mmclf.data.sources.coco_json import read_tree
from mmclf.data.sources.competition_csv import read_rows
from mmclf.data.sources.tables import text_stream
from mmclf.data.sources.tables.delimited import read_delimited
from mmclf.data.sources.tables.json_lines import read_json_lines
from mmclf.errors import InputError
from mmclf.models.text_family import resolve_pooling
from mmclf.models.tokenizer import read_tokenizer
from mmclf.storage import file_limits
from mmclf.storage.file_limits import MB, TOKENIZER_BYTES, check_size, in_mb
from mmclf.studies.definition import read_definition


def sparse(path: Path, size: int, start: bytes = b"") -> Path:
    """A file of so many bytes that takes no space."""
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(size)
    return path


def test_a_limit_is_the_most_that_is_read(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a", 100)
    check_size(path, 100, "text")
    with pytest.raises(InputError, match=r"a has .* MB, expected at most .* MB of text"):
        check_size(path, 99, "text")
    check_size(tmp_path / "none", 0, "text")
    check_size(tmp_path, 10**6, "text")


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0"), (MB, "1"), (1000 * MB, "1,000"), (1000 * MB + 1, "1,000.1"), (1_500_000, "1.5")],
)
def test_a_size_above_a_limit_never_reads_as_the_limit(size: int, words: str) -> None:
    assert in_mb(size) == words


def test_the_limits_are_what_is_documented() -> None:
    limits = (file_limits.IMAGE_BYTES, file_limits.MAX_PIXELS, file_limits.TOKENIZER_BYTES)
    assert limits == (256 * MB, 67_108_864, 64 * MB)


@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_delimited(path, ".csv", ["a"]),
        lambda path: read_json_lines(path, ["a"]),
        read_tree,
        read_rows,
        read_definition,
    ],
)
@pytest.mark.hostile("data")
def test_a_sparse_file_of_2_gb_is_refused_at_once(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = sparse(tmp_path / "data", 2_000_000_000, b"a,b\n")
    with pytest.raises(InputError, match=r"data has 2,000 MB, expected at most"):
        read(path)


@pytest.mark.parametrize(("limit", "fine"), [(6, True), (5, False)])
def test_a_table_of_the_limit_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, fine: bool
) -> None:
    for module in (text_stream, text_io):
        monkeypatch.setattr(module, "TEXT_BYTES", limit)
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,")
    if fine:
        assert [*read_delimited(path, ".csv", ["a"]).columns["a"]] == ["1"]
    else:
        with pytest.raises(InputError, match="expected at most"):
            read_delimited(path, ".csv", ["a"])


def test_what_a_small_file_unpacks_to_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_stream, "TEXT_BYTES", 10_000)
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(b"a\n" + b"1\n" * 100_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match="unpacks to more than"):
        read_delimited(path, ".csv", ["a"])


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "spiece.model"])
def test_a_tokenizer_that_is_too_large_is_refused(tmp_path: Path, name: str) -> None:
    sparse(tmp_path / name, TOKENIZER_BYTES + 1)
    with pytest.raises(InputError, match=rf"{name} has 64\.1 MB, expected at most 64 MB"):
        read_tokenizer(tmp_path)


def test_a_models_settings_that_are_too_large_are_refused(tmp_path: Path) -> None:
    sparse(tmp_path / "config.json", 100 * MB)
    with pytest.raises(InputError, match=r"config\.json has 100 MB"):
        resolve_pooling("auto", architecture=None, folder=tmp_path)
