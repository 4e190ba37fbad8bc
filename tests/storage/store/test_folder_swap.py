"""Folders whose files are all of before or all of after, whenever a process is killed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hostile_count import Attempts

from mmclf.storage.store import folder_swap
from mmclf.storage.store.atomic_write import ABANDONED_S
from mmclf.storage.store.folder_swap import exchange, write_folder_atomic

OWN = ("effects.*", "figures/*.svg")
OLD = {"a.csv": b"old", "effects.csv": b"old", "figures/old.svg": b"old"}
FOREIGN = {"notes.txt": b"mine", "figures/mine.png": b"mine", "effects.d/x": b"mine"}
NEW = {"a.csv": b"new", "b.csv": b"new", "figures/new.svg": b"new"}
# What a folder is changed by, and where a process is killed before it.
STEPS = ("open", "os.mkdir", "os.rename", "os.link", "os.chmod", "os.remove", "os.rmdir", "os.sc")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "report", OLD | FOREIGN)
    return tmp_path / "report"


@pytest.fixture(params=["exchanged", "renamed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """How the names are changed: in one step, or where that cannot be."""
    if request.param == "renamed":
        monkeypatch.setattr(folder_swap, "exchange", lambda *_: False)
    else:
        one, other = tmp_path / "one", tmp_path / "other"
        one.mkdir()
        other.mkdir()
        if not exchange(one, other):
            pytest.skip("names cannot be exchanged here")
        one.rmdir()
        other.rmdir()
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_a_folder_has_the_new_files_and_keeps_what_is_not_its_own(
    folder: Path, tmp_path: Path
) -> None:
    folder.chmod(0o750)
    (folder / "a.csv").chmod(0o640)
    (folder / "linked").symlink_to("notes.txt")
    write_folder_atomic(folder, NEW, OWN)
    assert contents(folder) == NEW | FOREIGN | {"linked": b"mine"}
    assert (folder / "linked").is_symlink()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert stat.S_IMODE((folder / "a.csv").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_that_is_missing_or_empty_is_made(tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "studies" / ("a" * 200)
    if is_there:
        folder.mkdir(parents=True)
    write_folder_atomic(folder, NEW)
    assert contents(tmp_path / "studies") == {f"{folder.name}/{k}": v for k, v in NEW.items()}


@pytest.mark.slow
@pytest.mark.hostile("kills of commands")
def test_of_a_process_that_is_killed_at_any_step_one_folder_is_left(
    folder: Path, way: str, attempts: Attempts
) -> None:
    before, after = OLD | FOREIGN, NEW | FOREIGN
    seen: set[bytes | None] = set()
    for step in count():
        shutil.rmtree(folder.parent)
        fill(folder, before)
        if not killed_at(step, lambda: write_folder_atomic(folder, NEW, OWN)):
            break
        with attempts.counted():
            if way == "renamed" and not folder.exists():
                (aside,) = folder.parent.glob(".*.old")
                assert contents(aside) == before
            else:
                assert contents(folder) in (before, after)
        seen.add(contents(folder).get("a.csv"))
        write_folder_atomic(folder, NEW, OWN)
        assert contents(folder) == after
    assert seen >= {b"old", b"new"}
    assert step > 10


def killed_at(step: int, call: Callable[[], None]) -> bool:
    """Call it in a process that ends, without further ado, before its step of this number."""
    steps = count()

    def hook(event: str, _: object) -> None:
        if event.startswith(STEPS) and next(steps) == step:
            os._exit(9)

    process = os.fork()
    if process == 0:
        with suppress(BaseException):
            sys.addaudithook(hook)
            call()
            os._exit(0)
        os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status in (0, 9)
    return status == 9


@pytest.mark.hostile("disks, streams, clocks")
def test_a_full_disk_leaves_the_folder_as_it_was(small_disk: Path) -> None:
    folder = small_disk / "report"
    fill(folder, OLD)
    with pytest.raises(OSError, match="No space left"):
        write_folder_atomic(folder, NEW | {"c": bytes(2 * 10**6)}, OWN)
    assert contents(small_disk) == {f"report/{name}": data for name, data in OLD.items()}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()])
def test_an_error_leaves_the_folder_as_it_was(
    folder: Path, tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> Path:
        if target == folder and self.suffix == ".part":
            raise error
        return rename(self, target)

    def fail_exchange(*_: Path) -> bool:
        raise error

    rename = Path.rename
    monkeypatch.setattr(Path, "rename", fail)
    if folder_swap.exchange is exchange:
        monkeypatch.setattr(folder_swap, "exchange", fail_exchange)
    with pytest.raises(type(error)):
        write_folder_atomic(folder, NEW, OWN)
    assert contents(folder) == OLD | FOREIGN
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.hostile("disks, streams, clocks")
@pytest.mark.usefixtures("way")
def test_links_are_replaced_and_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    fill(outside, {"x.svg": b"theirs"})
    shutil.rmtree(folder / "figures")
    (folder / "figures").symlink_to(outside)
    (folder / "b.csv").symlink_to(outside / "x.svg")
    (tmp_path / "linked").symlink_to(outside)
    for each in (folder, tmp_path / "linked"):
        write_folder_atomic(each, NEW, OWN)
        assert contents(each).items() >= NEW.items()
    assert contents(outside) == {"x.svg": b"theirs"}


def test_a_file_in_the_place_of_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b"a file")
    with pytest.raises(NotADirectoryError):
        write_folder_atomic(tmp_path / "report", NEW)
    assert contents(tmp_path) == {"report": b"a file"}


def test_of_several_that_write_at_once_one_is_whole(folder: Path, tmp_path: Path) -> None:
    versions = [{name: bytes([number]) for name in NEW} for number in range(4)]

    def write_often(files: dict[str, bytes]) -> None:
        for _ in range(20):
            write_folder_atomic(folder, files, OWN)

    threads = [threading.Thread(target=write_often, args=(files,)) for files in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(folder) in [files | FOREIGN for files in versions]
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_a_killed_process_left_is_removed_after_a_day(folder: Path, tmp_path: Path) -> None:
    left = [tmp_path / f".report.{'0' * 15}{n}.part" for n in range(2)]
    other = tmp_path / ".report.x.part"
    for path in (*left, other):
        fill(path, NEW)
    for path in (left[0], other):
        old = path.stat().st_mtime - ABANDONED_S - 1
        os.utime(path, (old, old))
    write_folder_atomic(folder, NEW)
    assert {path.name for path in tmp_path.iterdir()} == {"report", left[1].name, other.name}
