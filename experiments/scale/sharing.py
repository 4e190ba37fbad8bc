"""How busy processes are that share a study: `python sharing.py N FOLDER [KILLS]`.

N commands run one study of 64 cells at once, on one sqlite database, each with an output folder and
a store of its own. Once a run has finished, random ones of all but the first are killed and
begun again, KILLS times in all (N - 1). Printed are how often cells were begun, and where the time
of the processes that ended well went, from the first run of each to the end of the last of all:
runs, what lies between them, and waiting for the cells that others are at.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

CELLS = 64  # eight arms with eight seeds each
STUDY = (
    *("study=hyperparameters", "study.seeds=8", "vision=none", "text=tfidf", "device=cpu"),
    *("data.train=60", "data.test=20"),
)
RUNS = """
SELECT runs.status, runs.start_time, runs.end_time, cell.value || seed.value, process.value
FROM runs
JOIN tags AS cell ON cell.run_uuid = runs.run_uuid AND cell.key = 'mmclf.arm'
JOIN tags AS seed ON seed.run_uuid = runs.run_uuid AND seed.key = 'mmclf.seed'
JOIN tags AS process ON process.run_uuid = runs.run_uuid AND process.key = 'mmclf.process'
"""


class Run(NamedTuple):
    """A run of a cell, its times in milliseconds."""

    status: str
    start: int
    end: int
    cell: str
    process: str


def share(count: int, folder: Path, kills: int) -> tuple[int, float, set[int]]:
    """Run the study; how many were killed, the seconds that it took, and who ended well."""
    folder.mkdir(parents=True)

    def start(number: int) -> subprocess.Popen[bytes]:
        places = (f"tracking.uri=sqlite:///{folder}/mlflow.db", f"output_dir={folder}/{number}")
        with (folder / f"{number}.log").open("ab") as log:
            command = [sys.executable, "-m", "mmclf", *STUDY, *places]
            return subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603

    began = time.monotonic()
    processes = [start(number) for number in range(count)]
    chance, killed = random.Random(0), 0  # noqa: S311
    while not finished(folder) and any(process.poll() is None for process in processes):
        time.sleep(1)
    while killed < kills and any(process.poll() is None for process in processes):
        time.sleep(chance.uniform(2, 8))
        number = chance.randrange(1, count)
        if processes[number].poll() is None:
            processes[number].kill()
            processes[number].wait()
            processes[number] = start(number)
            killed += 1
    statuses = [process.wait() for process in processes]
    if any(statuses):
        sys.exit(f"the processes ended with {statuses}, expected zeros: see {folder}/*.log")
    return killed, time.monotonic() - began, {process.pid for process in processes}


def runs_in(folder: Path) -> list[Run]:
    """The runs of cells that there are."""
    with sqlite3.connect(folder / "mlflow.db", timeout=60) as database:
        return [Run(*row) for row in database.execute(RUNS)]


def finished(folder: Path) -> Counter[str]:
    """How many runs of each cell have finished; none without a database."""
    try:
        runs = runs_in(folder)
    except sqlite3.OperationalError:  # its tables are being made
        runs = []
    return Counter(run.cell for run in runs if run.status == "FINISHED")


def main() -> None:
    """Run the study, and print what became of it."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else count - 1
    killed, seconds, pids = share(count, folder, kills)
    runs, cells = runs_in(folder), finished(folder)
    print(
        f"{count} processes, {killed} killed, {seconds:.0f} s: {len(cells)} of {CELLS} cells "
        f"finished, {sum(cells.values()) - len(cells)} of them twice, "
        f"{len(runs) - sum(cells.values())} runs cut off"
    )
    of_process = defaultdict[str, list[Run]](list)
    for run in runs:
        of_process[run.process].append(run)
    whole = [
        sorted(of, key=lambda run: run.start)
        for process, of in of_process.items()
        if int(process.split("/")[2]) in pids
    ]
    end = max(run.end for of in whole for run in of)
    span = sum(end - of[0].start for of in whole)
    running = sum(run.end - run.start for of in whole for run in of)
    waiting = sum(end - of[-1].end for of in whole)
    for name, part in (
        ("in runs", running),
        ("between runs", span - running - waiting),
        ("waiting for others' cells", waiting),
    ):
        print(f"{name}: {part / span:.1%} of {span / 1000:.0f} s of {len(whole)} processes")


if __name__ == "__main__":
    main()
