"""What late imports of docs/architecture.md cost: `python experiments/speed/late_imports.py [N]`.

CPU seconds of the import, in a process that has imported the module it stands in: the median of N
processes (5), least and most.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from mmclf.cli.main import SUBCOMMANDS

API = (
    *("mmclf.config.compose", "mmclf.pipeline.run", "mmclf.pipeline.result"),
    *("mmclf.pipeline.predict.predictor", "mmclf.studies.comparison"),
    *("mmclf.notebook.many_runs", "mmclf.notebook.reading"),
)
LATE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mmclf", API),
    *(("mmclf.cli.main", (module,)) for module in SUBCOMMANDS.values()),
    ("mmclf.cli.main", ("mmclf.cli.processes",)),
    ("mmclf.cli.main", ("mmclf.training.distributed.world",)),
    ("mmclf.cli.launch", ("mmclf.cli.job",)),
    ("mmclf.cli.launch", ("mmclf.cli.multirun",)),
    ("mmclf.cli.plan", ("mmclf.cli.plan_study",)),
    ("hydra_plugins.mmclf.study_sweeper", ("mmclf.studies.pending",)),
    ("mmclf.cli.doctor", ("mmclf.pipeline.tracker_of",)),
    ("mmclf.pipeline.run", ("mmclf.pipeline.stage_runner",)),
    ("mmclf.pipeline.run_logging", ("mmclf.pipeline.predict.copied",)),
    ("mmclf.training.hardware", ("mmclf.training.device",)),
    ("mmclf.models.identity", ("mmclf.models.vision",)),
    ("mmclf.pipeline.image_size", ("mmclf.models.vision",)),
    ("mmclf.evaluation.metrics", ("sklearn.metrics",)),
    ("mmclf.models.hub", ("huggingface_hub", "huggingface_hub.errors")),
)
TIMED = """
import sys, time
from importlib import import_module
before, *late = sys.argv[1:]
import_module(before)
start = time.process_time()
for name in late:
    import_module(name)
print(time.process_time() - start)
"""


def seconds(before: str, late: tuple[str, ...], count: int) -> Iterator[float]:
    """CPU seconds of importing `late` after `before`, in so many processes."""
    for _ in range(count):
        command = [sys.executable, "-c", TIMED, before, *late]
        done = subprocess.run(  # noqa: S603
            command, check=True, capture_output=True, text=True
        )
        yield float(done.stdout)


def main() -> None:
    """Print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for before, late in LATE:
        times = [*seconds(before, late, count)]
        shown = f"{median(times):5.2f} ({min(times):.2f} to {max(times):.2f})"
        print(f"{shown}  {before}: {', '.join(late)}", flush=True)


if __name__ == "__main__":
    main()
