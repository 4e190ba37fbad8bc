from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.data.sources.table import load
from mmclf.data.sources.tables import text_stream
from mmclf.errors import InputError

TEXT = "caption,labels\ncafé,thé\n"


def captions(folder: Path, data: bytes, name: str = "t.csv", encoding: str = "auto") -> object:
    (folder / name).write_bytes(data)
    samples = load(str(folder), name, image_column=None, encoding=encoding)
    return samples.captions, samples.label_ids


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("utf-8", "auto"),
        ("utf-8-sig", "auto"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "auto"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_encodings(tmp_path: Path, written: str, given: str, name: str) -> None:
    data = TEXT.encode(written)
    data = gzip.compress(data) if name.endswith(".gz") else data
    assert captions(tmp_path, data, name, given) == (("café",), ("thé",))


def test_utf16_of_the_other_order(tmp_path: Path) -> None:
    data = b"\xfe\xff" + TEXT.encode("utf-16-be")
    assert captions(tmp_path, data) == (("café",), ("thé",))


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_no_utf8_names_the_line_and_encodings_to_try(tmp_path: Path, name: str) -> None:
    data = ("caption,labels\n" + "a,x\n" * 5000 + "é,x\n").encode("latin-1")
    data = gzip.compress(data) if name.endswith(".gz") else data
    with pytest.raises(InputError) as caught:
        captions(tmp_path, data, name)
    message = str(caught.value)
    assert message == Naming("line 5002", "0xe9", "UTF-8")
    assert "data.encoding=cp1252" in message
    assert "latin-1" in message


@pytest.mark.parametrize(("encoding", "data"), [("ascii", "é"), ("utf-16", "abc"), ("utf-8", "é")])
def test_another_encoding_than_the_one_given(tmp_path: Path, encoding: str, data: str) -> None:
    with pytest.raises(InputError, match=r"data\.encoding"):
        captions(tmp_path, data.encode("latin-1"), encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-9", "", "rot13", "hex"])
def test_what_is_no_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match=r"^data\.encoding"):
        captions(tmp_path, TEXT.encode(), encoding=encoding)


def test_more_than_the_memory_holds_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gzip.compress(b"caption,labels\n" + b"a,x\n" * 1000)
    monkeypatch.setattr(text_stream, "memory_bytes", lambda: 2 * 4015)
    captions(tmp_path, data, "t.csv.gz")
    monkeypatch.setattr(text_stream, "memory_bytes", lambda: 2 * 4014)
    with pytest.raises(InputError, match="unpacks to more than"):
        captions(tmp_path, data, "t.csv.gz")


@pytest.mark.parametrize(
    "data", [b"", b"caption", gzip.compress(TEXT.encode(), mtime=0)[:-9], b"\x1f\x8bxx"]
)
def test_a_damaged_gzip_file(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError):
        captions(tmp_path, data, "t.csv.gz")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(InputError):
        load(str(tmp_path), "t.csv", image_column=None)
