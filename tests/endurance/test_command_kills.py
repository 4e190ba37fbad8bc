"""Commands that are killed while they write: all is as before, or as after."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from endurance_runs import STUDY, Scale, Start, StartCommand, kill_at
from hostile_count import Attempts

from mmclf.storage.store.maintenance import damaged, stored_entries

pytestmark = [pytest.mark.slow, pytest.mark.hostile("kills of commands")]

SMALL_STUDY = (*STUDY, "study.seeds=1")


def timed(start_command: StartCommand, folder: Path, words: tuple[str, ...]) -> float:
    """The seconds that a command takes which nobody kills."""
    started = time.monotonic()
    process = start_command(folder, words)
    process.join()
    assert process.exitcode == 0, (folder / f"{process.pid}.log").read_text()
    return time.monotonic() - started


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def lasting(names: Iterable[str]) -> set[str]:
    """The names but of figures that are drawn where arms differ in what was measured."""
    return {name for name in names if not name.startswith("figures/cost-")}


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, start: Start) -> Path:
    """The output folder of a run on captions and images."""
    folder = tmp_path_factory.mktemp("tracked")
    process = start(folder)
    process.join()
    assert process.exitcode == 0
    return folder


def run_of(folder: Path) -> str:
    (model,) = folder.glob("artifacts/*/artifacts/model")
    return model.parents[1].name


def test_a_killed_prediction_leaves_the_older_file_or_the_whole_new_one(
    tracked: Path, tmp_path: Path, start_command: StartCommand, scale: Scale, attempts: Attempts
) -> None:
    words = ("predict", run_of(tracked), "device=cpu")
    out = tmp_path / "out.csv"
    seconds = timed(start_command, tracked, (*words, f"--out={out}"))
    after, chance = out.read_bytes(), random.Random(0)

    def start() -> BaseProcess:
        out.write_bytes(b"older")
        return start_command(tracked, (*words, f"--out={out}"))

    for attempt in range(scale.commands):
        # At the end of it, where it writes.
        share = 0.5 + (attempt + chance.random()) / scale.commands / 2
        seconds = kill_at(start, share, seconds)
        with attempts.counted():
            assert out.read_bytes() in (b"older", after)
    assert len([path for path in tmp_path.iterdir() if path != out]) <= scale.commands


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, start_command: StartCommand
) -> tuple[Path, float]:
    """The output folder of a study, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("study")
    return folder, timed(start_command, folder, SMALL_STUDY)


def test_a_killed_report_leaves_the_whole_folder_of_before_or_of_after(
    study: tuple[Path, float], start_command: StartCommand, scale: Scale, attempts: Attempts
) -> None:
    folder, _ = study
    report = folder / "studies" / "fusion"
    seconds = timed(start_command, folder, ("report", "fusion"))
    after, chance = contents(report), random.Random(0)
    before = dict.fromkeys([*after, "effects.csv", "figures/old.svg"], b"older")

    def start() -> BaseProcess:
        for name, content in before.items():
            (report / name).write_bytes(content)
        return start_command(folder, ("report", "fusion"))

    for attempt in range(scale.commands):
        share = 0.3 + 0.7 * (attempt + chance.random()) / scale.commands
        seconds = kill_at(start, share, seconds)
        with attempts.counted():
            assert contents(report) in (before, after)
    timed(start_command, folder, ("report", "fusion"))
    assert contents(report) == after


def test_a_study_that_is_killed_at_its_end_leaves_the_whole_page_or_none(
    study: tuple[Path, float],
    tmp_path: Path,
    start_command: StartCommand,
    scale: Scale,
    attempts: Attempts,
) -> None:
    done, seconds = study
    names = lasting(contents(done / "studies" / "fusion"))
    chance = random.Random(0)
    for attempt in range(scale.pages):
        folder = tmp_path / str(attempt)

        def start(folder: Path = folder) -> BaseProcess:
            shutil.rmtree(folder, ignore_errors=True)
            return start_command(folder, SMALL_STUDY)

        seconds = kill_at(start, 0.8 + 0.2 * chance.random(), seconds)
        report = folder / "studies" / "fusion"
        with attempts.counted():
            assert not report.is_dir() or lasting(contents(report)) == names
            assert all(contents(report).values())
        timed(start_command, folder, SMALL_STUDY)
        assert lasting(contents(folder / "studies" / "fusion")) == names
        shutil.rmtree(folder)


def test_a_killed_prune_leaves_entries_whole_or_not_at_all(
    tracked: Path, tmp_path: Path, start_command: StartCommand, scale: Scale, attempts: Attempts
) -> None:
    folder = tmp_path / "output"
    words = ("cache", "--prune", "0MB")
    shutil.copytree(tracked / "store", folder / "store")
    whole = len(stored_entries(folder / "store"))
    seconds = timed(start_command, folder, words)
    assert stored_entries(folder / "store") == []
    chance = random.Random(0)

    def start() -> BaseProcess:
        shutil.rmtree(folder / "store")
        shutil.copytree(tracked / "store", folder / "store")
        return start_command(folder, words)

    for attempt in range(scale.commands):
        seconds = kill_at(start, (attempt + chance.random()) / scale.commands, seconds)
        with attempts.counted():
            assert not list(damaged(folder / "store"))
            assert len(stored_entries(folder / "store")) <= whole
