"""Processes at one store: a killed one, many that want one result, one that waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock
from stored_values import STAGE, Text, computed, empty_store, entry_files, entry_folder, files

from mmclf.storage.store import stage_lock
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)

PROGRAM = """
import sys, time
from pathlib import Path
from mmclf.storage.store.arrays import save_array
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

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
    process.communicate(timeout=300)
    (left,) = files(store)
    assert left.startswith(f"fit/{STAGE.key}.")
    assert left.endswith(".part/value")
    assert store.entry(STAGE) is None
    made = store.get_or_compute(STAGE, Text(), computed())
    assert (made.value, made.reused) == ("a", False)
    assert files(store) == entry_files()


def test_eight_processes_that_want_one_result_compute_it_once(tmp_path: Path) -> None:
    processes = [started(tmp_path, "go", 8, number) for number in range(8)]
    assert [process.communicate(timeout=300)[0] for process in processes] == ["the value\n"] * 8
    assert len((tmp_path / "computed").read_text().splitlines()) == 1


def test_a_long_wait_names_the_process_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stage_lock, "QUIET_WAIT_S", 0.05)
    actual: list[str] = []
    entry_folder(store).parent.mkdir()
    waiting = threading.Thread(
        target=lambda: actual.append(store.get_or_compute(STAGE, Text(), computed()).value)
    )
    message = ""
    with FileLock(f"{entry_folder(store)}.lock"):
        waiting.start()
        deadline = time.monotonic() + 120
        while not message and time.monotonic() < deadline:
            time.sleep(0.02)
            message = capsys.readouterr().err
        assert actual == []
    waiting.join(120)
    expected = "mmclf: waiting for another process, which makes the result of fit\n"
    assert (message, actual) == (expected, ["a"])
