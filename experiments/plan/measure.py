"""How well `mmclf plan` foretells: a study's first seed is run, the plan of the rest, and the rest.

    measure.py NAME SEEDS -- study=loss data.train=300 ... output_dir=DIR

Prints a row of a Markdown table: the runs that were left, the seconds that the plan gave them, and
what they took, both by kind of stage; the whole command, its start and report included; the load
of the machine at the end of the first seed, and at the end of the rest. Ends with an error if the
plan's stages, or its arms, do not add up to the time that it says is left.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from mmclf.cli.plan_times import BESIDE, WORDS
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.time_estimate import own_seconds

LEFT = re.compile(r"time left: ([\d,]+) s")
STAGE = re.compile(r"^  ([a-z, ]+?)  +([\d,]+) s  ", re.MULTILINE)
ARM = re.compile(r"  (\d+) of \d+  +\d+  +([\d,]+)$", re.MULTILINE)  # the end of its row


def mmclf(*words: str) -> tuple[str, float, float]:
    """What a command prints, its seconds, and the machine's load over its last five minutes."""
    command, started = [sys.executable, "-m", "mmclf", *words], time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return done.stdout, time.monotonic() - started, os.getloadavg()[1]


def finished(output_dir: Path) -> dict[str, TrackedRun]:
    """The finished runs of studies by their ids."""
    tracker = Tracker(f"sqlite:///{output_dir}/mlflow.db", "mmclf", output_dir)
    return {run.id: run for run in tracker.runs() if run.parent and run.status == "FINISHED"}


def planned_seconds(plan: str) -> dict[str, int]:
    """The seconds of each kind of stage by a plan, which must add up to what it says is left."""
    left = LEFT.search(plan)
    assert left is not None, plan
    stages = {words: _number(seconds) for words, seconds in STAGE.findall(plan)}
    arms = [_number(seconds) for _, seconds in ARM.findall(plan)]
    sums = sum(stages.values()), sum(arms)
    if sums != (_number(left[1]),) * 2:
        raise SystemExit(f"{left[0]}, but stages and arms add up to {sums}:\n{plan}")
    return stages


def taken_seconds(runs: list[TrackedRun]) -> dict[str, float]:
    """The seconds that runs took by kind of stage, and beside these."""
    taken = Counter[str]()
    for run in runs:
        own = own_seconds(run)
        taken[BESIDE] += run.metrics["time/wall_s"] - sum(own.values())
        for kind, seconds in own.items():
            taken[WORDS[kind]] += seconds
    return taken


def main() -> None:
    """Measure one study."""
    name, seeds, *words = [word for word in sys.argv[1:] if word != "--"]
    output_dir = Path(next(word for word in words if word.startswith("output_dir=")).split("=")[1])
    _, _, load_before = mmclf(*words, "study.seeds=1")
    before = finished(output_dir)
    plan, _, _ = mmclf("plan", *words, f"study.seeds={seeds}")
    planned = planned_seconds(plan)
    _, whole, load = mmclf(*words, f"study.seeds={seeds}")
    new = [run for key, run in finished(output_dir).items() if key not in before]
    taken = taken_seconds(new)
    kinds = [*planned, *(kind for kind in taken if kind not in planned)]
    rows = [f"{kind} {planned.get(kind, 0)} / {taken.get(kind, 0.0):.0f}" for kind in kinds]
    print(
        f"| {name} | {len(new)} | {sum(planned.values())} | {sum(taken.values()):.0f} "
        f"| {', '.join(rows)} | {whole:.0f} | {load_before:.1f}, {load:.1f} |"
    )


def _number(text: str) -> int:
    return int(text.replace(",", ""))


if __name__ == "__main__":
    main()
