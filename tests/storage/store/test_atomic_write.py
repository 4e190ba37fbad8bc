"""Files that are there whole or not at all, whatever comes between."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmclf.storage.store import atomic_write
from mmclf.storage.store.atomic_write import (
    ABANDONED_S,
    atomic_stream,
    is_channel,
    write_atomic,
)

OLD, NEW = b"old", b"new" * 100_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "out.csv"
    path.write_bytes(OLD)
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def file_limit() -> Iterator[None]:
    """A limit of 1,000 bytes on the size of a file that this process writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_replaced_and_keeps_its_permissions(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    write_atomic(file, NEW)
    assert file.read_bytes() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert names(tmp_path) == {"out.csv"}


def test_a_new_file_has_the_permissions_of_any_new_one(tmp_path: Path) -> None:
    write_atomic(tmp_path / "one", NEW)
    (tmp_path / "other").touch()
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError()]
)
@pytest.mark.hostile("disks, streams, clocks")
def test_an_error_while_writing_leaves_the_file_as_it_was(
    file: Path, tmp_path: Path, error: BaseException
) -> None:
    def fail() -> None:
        with atomic_stream(file) as stream:
            stream.write(NEW)
            raise error

    with pytest.raises(type(error)):
        fail()
    assert file.read_bytes() == OLD
    assert names(tmp_path) == {"out.csv"}


@pytest.mark.hostile("disks, streams, clocks")
def test_a_full_disk_leaves_the_file_as_it_was(small_disk: Path) -> None:
    path = small_disk / "a"
    write_atomic(path, OLD)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomic(path, NEW * 5)
    assert caught.value.errno in atomic_write.DISK_FULL
    assert path.read_bytes() == OLD
    assert names(small_disk) == {"a"}


@pytest.mark.usefixtures("file_limit")
@pytest.mark.hostile("disks, streams, clocks")
def test_the_limit_on_a_files_size_leaves_the_file_as_it_was(file: Path, tmp_path: Path) -> None:
    write_atomic(file, OLD)
    with pytest.raises(OSError, match="too large") as caught:
        write_atomic(file, NEW)
    assert caught.value.errno in atomic_write.DISK_FULL
    assert file.read_bytes() == OLD
    assert names(tmp_path) == {"out.csv"}


def write_often(path: Path, content: bytes) -> None:
    for _ in range(50):
        write_atomic(path, content)


@pytest.mark.hostile("disks, streams, clocks")
def test_of_several_that_write_at_once_one_is_whole(file: Path, tmp_path: Path) -> None:
    contents = [bytes([number]) * 200_000 for number in range(4)]
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_often, args=(file, content)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert file.read_bytes() in (OLD, *contents)
    assert [writer.exitcode for writer in writers] == [0] * len(writers)
    assert file.read_bytes() in contents
    assert names(tmp_path) == {"out.csv"}


@pytest.mark.hostile("disks, streams, clocks")
def test_a_link_is_replaced_and_not_followed(file: Path, tmp_path: Path) -> None:
    for name, target in (("linked", file), ("dangling", tmp_path / "nowhere")):
        (tmp_path / name).symlink_to(target)
        write_atomic(tmp_path / name, NEW)
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == NEW
    assert file.read_bytes() == OLD
    assert names(tmp_path) == {"out.csv", "linked", "dangling"}


@pytest.mark.hostile("disks, streams, clocks")
def test_a_link_at_the_temporary_name_is_not_followed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(OLD)
    monkeypatch.setattr(secrets, "token_hex", lambda count: "0" * 2 * count)
    (tmp_path / f".out.csv.{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_atomic(file, NEW)
    assert (victim.read_bytes(), file.read_bytes()) == (OLD, OLD)


@pytest.mark.hostile("disks, streams, clocks")
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomic(pipe, NEW)
    reader.join()
    assert read == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == {"pipe.csv"}


def test_devices_and_own_streams_are_channels(file: Path, tmp_path: Path) -> None:
    channels = ("/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
    assert all(is_channel(Path(name)) for name in channels)
    (tmp_path / "linked").symlink_to("/dev/null")
    assert is_channel(tmp_path / "linked")
    assert not any(is_channel(path) for path in (file, tmp_path, tmp_path / "none"))
    write_atomic(Path("/dev/null"), NEW)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_what_a_killed_process_left_is_removed_after_a_day(file: Path, tmp_path: Path) -> None:
    left, recent, other = (
        tmp_path / f".{name}.{digit * 16}.part"
        for name, digit in (("out.csv", "a"), ("out.csv", "b"), ("else.csv", "a"))
    )
    own = tmp_path / ".out.csv.mine.part"
    for path in (left, recent, other, own):
        path.touch()
        if path is not recent:
            os.utime(path, (time.time() - ABANDONED_S - 60,) * 2)
    write_atomic(file, NEW)
    assert names(tmp_path) == {"out.csv", recent.name, other.name, own.name}


def test_a_file_of_a_long_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127)
    write_atomic(path, NEW)
    assert path.read_bytes() == NEW
