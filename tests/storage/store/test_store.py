"""The store: a result is computed once, whatever happens to processes, disks and files."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

from mmclf.errors import InputError
from mmclf.storage.store import store as module
from mmclf.storage.store.arrays import save_array
from mmclf.storage.store.entry import (
    RECORD,
    Entry,
    OutdatedError,
    Stage,
    StageTiming,
    open_entry,
)
from mmclf.storage.store.store import Computed, StageResult, Store

STAGE = Stage("fit", 1, {"seed": 0})
OTHER = Stage("fit", 1, {"seed": 1})

PROGRAM = """
import sys, time
from pathlib import Path
from mmclf.storage.store.arrays import save_array
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.store import Computed, Store

folder, act, count, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]

class Text:
    def write(self, value, folder):
        (folder / "value").write_text(value)
        if act == "hang":
            print("writing", flush=True)
            time.sleep(60)

    def read(self, entry):
        return entry.read("value").decode()

def compute():
    with (folder / "computed").open("a") as stream:
        stream.write(f"by {number}\\n")
    while len([*folder.glob("ready.*")]) < count:
        time.sleep(0.01)
    time.sleep(0.2)
    return Computed("the value", 1.0, 1)

store = Store(folder / "store", "2 x CPU")
(folder / f"ready.{number}").touch()
print(store.get_or_compute(Stage("fit", 1, {"seed": 0}), Text(), compute).value)
"""


class Text:
    """A text in a file, beside an empty one."""

    def write(self, value: str, folder: Path) -> None:
        (folder / "value").write_text(value)
        (folder / "more").mkdir()
        (folder / "more" / "empty").touch()

    def read(self, entry: Entry) -> str:
        entry.read("more/empty")
        return entry.read("value").decode()


class Failing(Text):
    """Writes half of it, then fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def write(self, value: str, folder: Path) -> None:
        (folder / "value").write_text(value[:1])
        raise self.error


class Array:
    def write(self, value: NDArray[np.float64], folder: Path) -> None:
        save_array(folder / "value.npy", value)

    def read(self, entry: Entry) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.load(entry.path("value.npy"), allow_pickle=False)
        return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", "2 x CPU")


def computed(value: str = "a", **more: Any) -> Callable[[], Computed[str]]:
    return lambda: Computed(value, 1.5, 7, **more)


def never() -> NoReturn:
    pytest.fail("it was computed again")


def place(store: Store, stage: Stage = STAGE) -> Path:
    return store.folder / "fit" / stage.key


def files(store: Store) -> set[str]:
    """What lies in the store but for locks."""
    found = {p.relative_to(store.folder).as_posix() for p in store.folder.rglob("*") if p.is_file()}
    return {name for name in found if not name.endswith(".lock")}


def entry_files(stage: Stage = STAGE) -> set[str]:
    return {f"fit/{stage.key}/{name}" for name in (RECORD, "value", "more/empty")}


def is_free(store: Store, stage: Stage = STAGE) -> bool:
    with FileLock(f"{place(store, stage)}.lock", timeout=0) as lock:
        return lock.is_locked


# Once, and again


def test_a_result_is_computed_once_and_recalled(store: Store, tmp_path: Path) -> None:
    made = store.get_or_compute(STAGE, Text(), computed())
    timing = StageTiming("fit", STAGE.key, 1.5, 7, "2 x CPU", None)
    assert made == StageResult("a", timing, (), reused=False)
    assert store.get_or_compute(STAGE, Text(), never) == StageResult("a", timing, (), reused=True)
    elsewhere = Store(tmp_path / "store", "1 x GPU")
    assert elsewhere.get(STAGE, Text()) == StageResult("a", timing, (), reused=True)
    assert files(store) == entry_files()


def test_a_result_is_of_its_stage_alone(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed("a"))
    assert store.get(OTHER, Text()) is None
    assert store.entry(OTHER) is None
    assert store.get_or_compute(OTHER, Text(), computed("b")).value == "b"
    assert store.get_or_compute(STAGE, Text(), never).value == "a"


def test_costs_and_inputs_are_recorded(store: Store) -> None:
    store.sign("run1")
    text = StageTiming("text", "t" * 40, 0.5, 100, "1 x GPU", "run0")
    inputs = [text, StageTiming("split", "s" * 40, 0.1, 100, "2 x CPU", None), text]
    store.get_or_compute(STAGE, Text(), computed(inputs=inputs))
    found = store.get(STAGE, Text())
    assert found is not None
    assert found.timings == (StageTiming("fit", STAGE.key, 1.5, 7, "2 x CPU", "run1"), *inputs[:2])
    entry = store.entry(STAGE)
    assert entry is not None
    assert entry.arguments == {"seed": 0}


def test_what_was_made_before_the_runs_name_is_known_gets_it(store: Store) -> None:
    before = store.get_or_compute(STAGE, Text(), computed())
    store.sign("run1")
    after = store.get_or_compute(OTHER, Text(), computed(inputs=[before.timing]))
    assert before.timing.run is None
    assert store.signed(before.timing).run == "run1"
    assert [timing.run for timing in after.timings] == ["run1", "run1"]
    assert [open_entry(place(store, stage)).timing.run for stage in (STAGE, OTHER)] == ["run1"] * 2
    assert store.get_or_compute(STAGE, Text(), never).value == "a"


def test_what_another_run_made_keeps_its_name(store: Store, tmp_path: Path) -> None:
    store.sign("run1")
    made = store.get_or_compute(STAGE, Text(), computed())
    later = Store(tmp_path / "store", "2 x CPU")
    recalled = later.get_or_compute(STAGE, Text(), never)
    later.sign("run2")
    assert later.signed(recalled.timing).run == "run1"
    assert open_entry(place(store)).timing == made.timing


def test_an_early_result_that_was_removed_is_no_reason_to_fail(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    shutil.rmtree(place(store))
    store.sign("run1")
    assert files(store) == set()


def test_a_use_is_noted(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    os.utime(place(store) / RECORD, (1, 1))
    store.get_or_compute(STAGE, Text(), never)
    assert (place(store) / RECORD).stat().st_mtime > time.time() - 60


# Damage


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
@pytest.mark.parametrize("name", [RECORD, "value"])
def test_what_is_damaged_is_made_again_with_one_line_of_warning(
    store: Store, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None], name: str
) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    damage(place(store) / name)
    assert store.get(STAGE, Text()) is None
    again = store.get_or_compute(STAGE, Text(), computed())
    assert (again.value, again.reused) == ("a", False)
    if (name, damage) == (RECORD, Path.unlink):  # then there is no entry that could be damaged
        assert capsys.readouterr().err == ""
    else:
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"mmclf: {place(store) / name} ")
        assert line.endswith(": fit is made again")
    assert store.get_or_compute(STAGE, Text(), never).value == "a"
    assert files(store) == entry_files()
    assert capsys.readouterr().err == ""


def test_what_its_reader_cannot_read_is_made_again(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.get_or_compute(
        STAGE, Text(), computed()
    )  # and no array, as an earlier version may have it
    made = store.get_or_compute(STAGE, Array(), lambda: Computed(np.ones(2), 1.0, 1))
    assert made.value.tolist() == [1.0, 1.0]
    assert capsys.readouterr().err.count("\n") == 1


def test_entries_that_changed_places_are_noticed(store: Store, tmp_path: Path) -> None:
    store.get_or_compute(STAGE, Text(), computed("a"))
    store.get_or_compute(OTHER, Text(), computed("b"))
    place(store).rename(tmp_path / "aside")
    place(store, OTHER).rename(place(store))
    (tmp_path / "aside").rename(place(store, OTHER))
    assert store.get_or_compute(STAGE, Text(), computed("a")).value == "a"


# Errors and kills


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_error_while_computing_leaves_nothing_and_frees_the_lock(
    store: Store, error: type[BaseException]
) -> None:
    def fail() -> NoReturn:
        raise error

    with pytest.raises(error):
        store.get_or_compute(STAGE, Text(), fail)
    assert is_free(store)
    assert files(store) == set()
    assert store.get_or_compute(STAGE, Text(), computed()).value == "a"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no JSON")])
def test_an_error_while_writing_leaves_nothing_and_frees_the_lock(
    store: Store, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        store.get_or_compute(STAGE, Failing(error), computed())
    assert is_free(store)
    assert files(store) == set()
    assert not place(store).with_name(f"{STAGE.key}.part").exists()


def test_an_error_of_ones_own_disk_while_computing_is_not_the_stores(store: Store) -> None:
    def fail() -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as caught:
        store.get_or_compute(STAGE, Text(), fail)
    assert not isinstance(caught.value, InputError)


def started(tmp_path: Path, act: str, count: int, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), act, str(count), str(number)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_what_a_killed_process_left_is_cleared(store: Store, tmp_path: Path) -> None:
    process = started(tmp_path, "hang", 1, 0)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert files(store) == {f"fit/{STAGE.key}.part/value"}
    assert store.entry(STAGE) is None
    made = store.get_or_compute(STAGE, Text(), computed())
    assert (made.value, made.reused) == ("a", False)
    assert files(store) == entry_files()


def test_eight_processes_that_want_one_result_compute_it_once(tmp_path: Path) -> None:
    processes = [started(tmp_path, "go", 8, number) for number in range(8)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["the value\n"] * 8
    assert len((tmp_path / "computed").read_text().splitlines()) == 1


def test_whoever_waits_long_is_told_for_whom(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "QUIET_WAIT_S", 0.05)
    found: list[str] = []
    place(store).parent.mkdir()
    waiting = threading.Thread(
        target=lambda: found.append(store.get_or_compute(STAGE, Text(), computed()).value)
    )
    message = ""
    with FileLock(f"{place(store)}.lock"):
        waiting.start()
        deadline = time.monotonic() + 20
        while not message and time.monotonic() < deadline:
            time.sleep(0.02)
            message = capsys.readouterr().err
        assert found == []
    waiting.join(20)
    expected = "mmclf: waiting for another process, which makes the result of fit\n"
    assert (message, found) == (expected, ["a"])


# Disks


FULL = "has no space for the result of fit (No space left on device)"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_the_value_unstored_and_the_store_usable(
    store: Store, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    form = Failing(OSError(number, "No space left on device"))
    made = store.get_or_compute(STAGE, form, computed())
    assert (made.value, made.reused) == ("a", False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mmclf: {store.folder} {FULL}: the run goes on without storing it")
    assert files(store) == set()
    assert is_free(store)
    assert store.get_or_compute(STAGE, Text(), computed()).value == "a"
    assert files(store) == entry_files()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small tmpfs can only be mounted by root on Linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_that_really_is_full_leaves_the_store_usable(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(small_disk / "store", "2 x CPU")
    store.get_or_compute(OTHER, Text(), computed("small"))
    made = store.get_or_compute(STAGE, Text(), computed("a" * 2_000_000))
    assert (len(made.value), made.reused) == (2_000_000, False)
    message = capsys.readouterr().err
    assert FULL in message
    assert message.count("\n") == 1
    assert files(store) == entry_files(OTHER)
    assert store.get_or_compute(OTHER, Text(), never).value == "small"
    assert store.get_or_compute(STAGE, Text(), computed("fits")).value == "fits"
    assert files(store) == entry_files(OTHER) | entry_files(STAGE)


def test_a_full_disk_is_known_of_an_array_too(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(small_disk / "store", "2 x CPU")
    made = store.get_or_compute(STAGE, Array(), lambda: Computed(np.ones(10**6), 1.0, 1))
    assert made.value.sum() == 10**6
    assert "has no space for the result of fit" in capsys.readouterr().err


def test_a_disk_that_may_only_be_read_serves_what_it_has(small_disk: Path) -> None:
    store = Store(small_disk / "store", "2 x CPU")
    store.get_or_compute(OTHER, Text(), computed("small"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert store.get_or_compute(OTHER, Text(), never).value == "small"
    with pytest.raises(InputError, match=r"store\.dir: .*store cannot be written to \(Read-only"):
        store.get_or_compute(STAGE, Text(), never)
    with pytest.raises(InputError, match=r"give store\.dir=DIR of a folder that you may write to"):
        Store(small_disk / "other", "2 x CPU")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write to every folder"
)
def test_a_folder_that_one_may_only_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = Store(folder, "2 x CPU")
    folder.chmod(0o555)
    try:
        with pytest.raises(InputError, match=r"store\.dir: .*store cannot be written to"):
            store.get_or_compute(STAGE, Text(), never)
        with pytest.raises(InputError, match=r"store\.dir: .*inner cannot be written to"):
            Store(folder / "inner", "2 x CPU")
    finally:
        folder.chmod(0o755)


def test_a_file_in_the_place_of_the_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(InputError, match=r"store\.dir: .*store cannot be written to \(File exists"):
        Store(tmp_path / "store", "2 x CPU")


# Values that stay on the disk


class Files:
    """A value that is its file."""

    def write(self, value: Path, folder: Path) -> None:
        value.replace(folder / "array")

    def read(self, entry: Entry) -> Path:
        return entry.path("array")


class Outdated(Files):
    def __init__(self, answers: list[bool]) -> None:
        self.answers = answers

    def read(self, entry: Entry) -> Path:
        if self.answers and self.answers.pop():
            raise OutdatedError("an image can be read now")
        return super().read(entry)


def on_disk(store: Store) -> Computed[Path]:
    draft = store.folder / "draft"
    draft.write_bytes(b"pictures")
    return Computed(draft, 2.5, 9)


def test_a_value_that_is_its_file_is_made_once_and_opened_where_it_lies(store: Store) -> None:
    made = store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    assert made.value == place(store) / "array"
    assert made.timing == StageTiming("fit", STAGE.key, 2.5, 9, "2 x CPU", None)
    assert not made.reused
    again = store.get_or_compute(STAGE, Files(), never, reopen=True)
    assert (again.value, again.timing, again.reused) == (made.value, made.timing, True)
    store.sign("run1")
    assert store.get_or_compute(STAGE, Files(), never, reopen=True).timing.run == "run1"


def test_an_outdated_value_is_made_again_without_a_word(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[bool] = []
    store.get_or_compute(STAGE, Outdated(answers), lambda: on_disk(store), reopen=True)
    os.utime(place(store) / "array", (1, 1))
    answers += [True, True]  # at the first look, and under the lock
    store.get_or_compute(STAGE, Outdated(answers), lambda: on_disk(store), reopen=True)
    assert answers == []
    assert (place(store) / "array").stat().st_mtime > 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("where", ["compute", "write"])
def test_a_value_that_has_no_room_is_an_error_and_leaves_nothing(store: Store, where: str) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    class Full(Files):
        def write(self, value: Path, folder: Path) -> None:
            super().write(value, folder)
            raise full

    def compute() -> Computed[Path]:
        if where == "compute":
            raise full
        return on_disk(store)

    with pytest.raises(OSError, match="No space left"):
        store.get_or_compute(STAGE, Full(), compute, reopen=True)
    assert files(store) == set()
    assert is_free(store)
    made = store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    assert made.timing.count == 9


@pytest.mark.parametrize("name", [RECORD, "array"])
def test_a_damaged_file_is_made_again_with_one_line_of_warning(
    store: Store, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    flip(place(store) / name)
    again = store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    assert again.value.read_bytes() == b"pictures"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("has changed since it was stored: fit is made again")
