"""What plan and report cost in a made-up study of 20 arms and so many seeds.

    measure.py SEEDS FOLDER [PART ...]

A row of a Markdown table for each part, plan and report by default, each a process of its own:
runs, CPU seconds, wall seconds, most memory in MiB, load of the machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from made_up import make, words

PARTS = ("plan", "report")


def commands(folder: Path, seeds: int) -> dict[str, list[str]]:
    """The words of each part, behind Python."""
    study = words(folder, seeds)
    return {
        "plan": ["-m", "mmclf", "plan", *study],
        "report": ["-m", "mmclf", "report", study[0], study[3]],
    }


def measured(arguments: list[str], log: Path) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MiB of a process of Python's."""
    started = time.monotonic()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit(f"{arguments} failed: {log.read_text()}")
    wall = time.monotonic() - started
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def main() -> None:
    """Make the study if it is not there, and print a row of Markdown for each part."""
    seeds, folder, parts = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or PARTS
    make(folder, seeds)
    for part in parts:
        cpu, wall, peak = measured(commands(folder, seeds)[part], folder / f"{part}.txt")
        load = os.getloadavg()[0]
        print(f"| {part} | {20 * seeds} | {cpu:.1f} | {wall:.1f} | {peak:.0f} | {load:.1f} |")


if __name__ == "__main__":
    main()
