"""A machine that lacks something, or whose clock jumps: it works, or a line says what it lacks."""

from __future__ import annotations

import itertools
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker

SMALL = ("data.train=60", "data.test=20", "trainer.epochs=2", "head.hidden=4", "device=cpu")


@pytest.fixture
def read_only(small_disk: Path) -> Callable[[], Path]:
    """Makes the disk of 1 MB read-only, and gives it."""

    def made() -> Path:
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        return small_disk

    return made


@pytest.mark.hostile("disks, streams, clocks")
def test_an_output_folder_that_is_read_only_is_bad_input(
    read_only: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    disk = read_only()
    for words in ([*SMALL], ["-m", *SMALL, "seed=0,1"], ["study=loss", *SMALL]):
        assert main([*words, f"output_dir={disk / 'out'}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == Naming(f"output_dir={disk / 'out'}")


@pytest.mark.hostile("disks, streams, clocks")
def test_a_file_in_the_place_of_the_output_folder_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").touch()
    assert main([*SMALL, f"output_dir={tmp_path / 'out'}"]) == 2
    assert capsys.readouterr().err.startswith("mmclf: output_dir=")


@pytest.mark.hostile("disks, streams, clocks")
def test_runs_on_a_disk_that_is_read_only_are_listed_and_reported(
    read_only: Callable[[], Path],
    small_disk: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    with tracker.run("kept", {}, None) as log:
        log.metrics({"test/f1_samples": 0.5})
    try:
        shutil.copy(tmp_path / "mlflow.db", small_disk)
    except OSError:
        pytest.skip("the database is larger than the disk")
    disk = read_only()
    assert main(["runs", f"output_dir={disk}"]) == 0
    assert main(["report", f"output_dir={disk}"]) == 0
    assert "kept" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.hostile("disks, streams, clocks")
def test_a_clock_that_jumps_back_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now, steps = time.time(), itertools.count()
    monkeypatch.setattr(time, "time", lambda: now - 3600.0 * next(steps))
    monkeypatch.setattr(time, "time_ns", lambda: int((now - 3600.0 * next(steps)) * 1e9))
    for _ in range(2):
        assert main([*SMALL, f"output_dir={tmp_path}"]) == 0
    assert main(["cache", "--verify", f"output_dir={tmp_path}"]) == 0
    assert main(["runs", f"output_dir={tmp_path}"]) == 0
    capsys.readouterr()
    runs = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path).runs()
    assert [run.status for run in runs] == ["FINISHED"] * 2
    assert all(run.metrics["time/wall_s"] > 0 for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [pytest.param(64, marks=pytest.mark.soak), 16])
@pytest.mark.hostile("disks, streams, clocks")
def test_few_open_files_suffice_or_are_said_to_be_too_few(tmp_path: Path, limit: int) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    words = [*SMALL, "vision=timm", "vision.name=test_efficientnet", "vision.weights=random"]
    done = subprocess.run(
        [sys.executable, "-m", "mmclf", *words, "image.size=32", f"output_dir={tmp_path}"],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )
    if limit == 64:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode in (0, 1, 2)
        assert done.returncode == 0 or "Too many open files" in done.stderr
