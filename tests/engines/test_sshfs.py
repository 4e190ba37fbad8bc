"""A store that two mounts share whose locks the other one does not see."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from sshfs_engine import mounted_twice

from mmclf.storage.store.maintenance import damaged, stored_entries

pytestmark = pytest.mark.engine

KEYS = 6
PROGRAM = """
import os, sys, time
from pathlib import Path
from mmclf.storage.store import stage_lock
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

folder, number, act, keys = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
stage_lock.BEAT_S, stage_lock.STALE_S = 0.5, 5.0

class Text:
    def write(self, value, folder):
        for part in range(5):
            (folder / str(part)).write_text(value)

    def read(self, entry):
        (value,) = {entry.read(str(part)).decode() for part in range(5)}
        return value

def compute():
    print("computing", flush=True)
    time.sleep(600 if act == "hang" else 0.3)
    return Computed(f"by {number}", 0.3, 1)

store = Store(folder, f"machine {number}")
for seed in range(keys):
    print(seed, store.get_or_compute(Stage("fit", 1, {"seed": seed}), Text(), compute).value)
"""
# Process numbers of its own, as another machine has.
ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    with mounted_twice(tmp_path) as both:
        yield both


def start(mount: Path, number: int, act: str = "go", keys: int = KEYS) -> subprocess.Popen[str]:
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("a process number space of its own takes root and unshare")
    words = [str(mount), str(number), act, str(keys)]
    return subprocess.Popen(
        [*ELSEWHERE, sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.splitlines()


def test_one_mount_does_not_see_the_locks_of_the_other(mounts: tuple[Path, Path]) -> None:
    with FileLock(mounts[0] / "lock", timeout=0), FileLock(mounts[1] / "lock", timeout=0) as second:
        assert second.is_locked


def test_what_two_machines_make_at_once_is_whole_and_the_same_for_both(
    mounts: tuple[Path, Path],
) -> None:
    processes = [start(mount, number) for number, mount in enumerate(mounts)]
    lines = [finished(process) for process in processes]
    values = [[line for line in said if line != "computing"] for said in lines]
    assert values[0] == values[1]
    assert len(values[0]) == KEYS
    counts = Counter(line for said in lines for line in said)
    assert KEYS <= counts["computing"] <= 2 * KEYS
    assert len(stored_entries(mounts[0])) == KEYS
    assert list(damaged(mounts[0])) == []


def test_a_machine_that_is_killed_while_it_makes_a_result_is_taken_over(
    mounts: tuple[Path, Path],
) -> None:
    dead = start(mounts[0], 0, "hang", keys=1)
    assert dead.stdout is not None
    assert dead.stdout.readline() == "computing\n"
    dead.send_signal(signal.SIGKILL)
    dead.communicate(timeout=30)
    assert [*mounts[1].glob("fit/*.owner")] != []
    assert finished(start(mounts[1], 1, keys=1)) == ["computing", "0 by 1"]
    assert [*mounts[1].glob("fit/*.owner")] == []
