"""How well `mmclf plan` foretells: a study's first seed is run, the plan of the rest, and the rest.

    measure.py NAME SEEDS -- study=loss data.train=300 ... output_dir=DIR

Prints a row of a Markdown table: what was left by the plan, and what the runs then took, the sum of
their `time/wall_s` and the whole command, its start and report included.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from mmclf.storage.tracking import TrackedRun, Tracker

LEFT = re.compile(r"time left: ([\d,]+) s")
STAGE = re.compile(r"^  ([a-z, ]+?)  +([\d,]+) s  ", re.MULTILINE)


def mmclf(*words: str) -> str:
    """What a command prints; raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "mmclf", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return done.stdout


def finished(output_dir: Path) -> dict[str, TrackedRun]:
    """The finished runs of studies by their ids."""
    tracker = Tracker(f"sqlite:///{output_dir}/mlflow.db", "mmclf", output_dir)
    return {run.id: run for run in tracker.runs() if run.parent and run.status == "FINISHED"}


def main() -> None:
    """Measure one study."""
    name, seeds, *words = [word for word in sys.argv[1:] if word != "--"]
    output_dir = Path(next(word for word in words if word.startswith("output_dir=")).split("=")[1])
    mmclf(*words, "study.seeds=1")
    before = finished(output_dir)
    plan = mmclf("plan", *words, f"study.seeds={seeds}")
    left = LEFT.search(plan)
    assert left is not None, plan
    started = time.monotonic()
    mmclf(*words, f"study.seeds={seeds}")
    whole = time.monotonic() - started
    new = [run for key, run in finished(output_dir).items() if key not in before]
    runs = sum(run.metrics["time/wall_s"] for run in new)
    stages = ", ".join(f"{what} {seconds}" for what, seconds in STAGE.findall(plan))
    planned = int(left[1].replace(",", ""))
    print(f"| {name} | {len(new)} | {planned} ({stages}) | {runs:.0f} | {whole:.0f} |")


if __name__ == "__main__":
    main()
