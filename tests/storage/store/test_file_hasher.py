from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from mmclf.storage.store import file_hasher as module
from mmclf.storage.store.file_hasher import FileHasher, file_digest

# sha256sum of `one`, `two` and `uno`, without a line end.
ONE = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
TWO = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"
UNO = "bf0ec3694e122e067d9964a38ec7d8415781df4b24f442ad767b4621fb98f8c5"
LONG_AGO = 1_000_000_000


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, one for each time."""
    names: list[str] = []
    real = module.file_digest

    def counted(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(module, "file_digest", counted)
    return names


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [written(tmp_path / "a", "one"), written(tmp_path / "b", "two")]


def written(path: Path, text: str, at: float = LONG_AGO) -> Path:
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def test_a_sum_is_that_of_the_content(files: list[Path], tmp_path: Path) -> None:
    assert FileHasher(tmp_path / "sums").digests(files) == [ONE, TWO]


def test_what_has_not_changed_is_not_read_again(
    files: list[Path], tmp_path: Path, read: list[str]
) -> None:
    FileHasher(tmp_path / "sums").digests(files)
    assert sorted(read) == ["a", "b"]
    assert FileHasher(tmp_path / "sums").digests(files) == [ONE, TWO]
    assert sorted(read) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "at"), [("one", LONG_AGO + 1), ("uno", LONG_AGO + 1), ("longer", LONG_AGO)]
)
def test_only_a_file_whose_size_or_time_changed_is_read_again(
    files: list[Path], tmp_path: Path, read: list[str], text: str, at: float
) -> None:
    sums = FileHasher(tmp_path / "sums")
    sums.digests(files)
    read.clear()
    written(files[0], text, at)
    expected = [hashlib.sha256(text.encode()).hexdigest(), TWO]
    assert [sums.digests(files), sums.digests(files)] == [expected, expected]
    assert read == ["a"]


def test_a_nanosecond_is_a_change(files: list[Path], tmp_path: Path, read: list[str]) -> None:
    sums = FileHasher(tmp_path / "sums")
    sums.digests(files)
    read.clear()
    os.utime(files[1], ns=(0, LONG_AGO * 10**9 + 1))
    sums.digests(files)
    assert read == ["b"]


def test_a_file_that_changed_just_now_is_read_again_until_it_is_steady(
    files: list[Path], tmp_path: Path, read: list[str]
) -> None:
    sums = FileHasher(tmp_path / "sums")
    now = time.time() + 60  # whatever the tests' pace
    written(files[0], "one", now)
    sums.digests(files)
    written(files[0], "uno", now)  # as long, within the clock's tick
    assert sums.digests(files) == [UNO, TWO]
    assert sorted(read) == ["a", "a", "b"]
    os.utime(files[0], (now - 63, now - 63))
    sums.digests(files)
    sums.digests(files)
    assert sorted(read) == ["a", "a", "a", "b"]


def test_a_file_that_changes_while_it_is_read_is_read_again(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(path: Path) -> str:
        digest = file_digest(path)
        written(files[0], "uno", LONG_AGO + 1)
        return digest

    sums = FileHasher(tmp_path / "sums")
    with monkeypatch.context() as patched:
        patched.setattr(module, "file_digest", changing)
        assert sums.digests(files[:1]) == [ONE]
    assert sums.digests(files[:1]) == [UNO]


def test_a_missing_file_and_a_folder_have_no_sum(files: list[Path], tmp_path: Path) -> None:
    sums = FileHasher(tmp_path / "sums")
    several = [tmp_path / "nowhere", files[0], tmp_path, tmp_path / "nul\0"]
    assert sums.digests(several) == [None, ONE, None, None]
    written(tmp_path / "nowhere", "two")
    assert sums.digests(several) == [TWO, ONE, None, None]
    files[0].unlink()
    assert sums.digests(several) == [TWO, None, None, None]


def test_another_list_of_the_same_files_is_another_memory(
    files: list[Path], tmp_path: Path, read: list[str]
) -> None:
    sums = FileHasher(tmp_path / "sums")
    assert sums.digests(files) == [ONE, TWO]
    assert sums.digests(files[::-1]) == [TWO, ONE]
    assert len([*(tmp_path / "sums").iterdir()]) == 2


def test_a_memory_with_any_byte_flipped_is_not_believed(
    files: list[Path], tmp_path: Path, read: list[str]
) -> None:
    sums = FileHasher(tmp_path / "sums")
    sums.digests(files)
    (memory,) = (tmp_path / "sums").iterdir()
    sound = memory.read_bytes()
    assert ONE.encode() in sound
    for position in range(len(sound)):
        damaged = bytearray(sound)
        damaged[position] ^= 1
        memory.write_bytes(damaged)
        assert sums.digests(files) == [ONE, TWO]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"stamps": 1}'])
def test_a_memory_that_is_none_is_made_again(
    files: list[Path], tmp_path: Path, read: list[str], content: bytes
) -> None:
    sums = FileHasher(tmp_path / "sums")
    sums.digests(files)
    (memory,) = (tmp_path / "sums").iterdir()
    memory.write_bytes(content)
    assert [*sums.differing()] == []
    assert sums.digests(files) == [ONE, TWO]
    assert len(read) == 4
    sums.digests(files)
    assert len(read) == 4


def test_a_content_that_changed_without_a_trace_is_found_and_forgotten(
    files: list[Path], tmp_path: Path
) -> None:
    sums = FileHasher(tmp_path / "sums")
    sums.digests(files)
    written(files[0], "uno")
    assert sums.digests(files) == [ONE, TWO]  # the limit of what size and time tell
    assert [*sums.differing()] == [str(files[0])]
    sums.forget(str(files[0]))
    assert [*sums.differing()] == []
    assert sums.digests(files) == [UNO, TWO]


def test_what_changed_openly_is_no_difference(files: list[Path], tmp_path: Path) -> None:
    sums = FileHasher(tmp_path / "sums")
    sums.digests(files)
    written(files[0], "uno", LONG_AGO + 1)
    files[1].unlink()
    assert [*sums.differing()] == []


def test_what_could_not_be_read_is_tried_again(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = FileHasher(tmp_path / "sums")

    def fail(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(module, "file_digest", fail)
        assert sums.digests(files) == [None, None]
    assert sums.digests(files) == [ONE, TWO]


def test_a_disk_that_is_full_forgets_only(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomic", full)
    assert FileHasher(tmp_path / "sums").digests(files) == [ONE, TWO]


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("size", [0, 3, 4, 5, 8, 11])
def test_long_files_are_summed_by_blocks_whatever_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, size: int
) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    data = bytes(range(size))
    (tmp_path / "a").write_bytes(data)
    blocks = [hashlib.sha256(data[i : i + 4]).digest() for i in range(0, size, 4)]
    whole = hashlib.sha256(b"".join(blocks)) if size > 4 else hashlib.sha256(data)
    assert file_digest(tmp_path / "a") == whole.hexdigest()
