"""Measure the figures on a GPU, and write gpu.csv and README.md: `make bench-gpu`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import report
import results
from gpu import FIGURES, Bench, measure
from measuring import tell
from results import Row
from sizes import GPU_FULL, GPU_QUICK

from mmclf.storage import environment
from mmclf.training.device import pick_device

HERE = Path(__file__).resolve().parent
BUDGET_S = 450.0
# Seconds that a figure takes about, on an H100; the most wanted come first.
NEEDED = {
    "gpu_trainable": 110.0,
    "gpu_heads_64": 20.0,
    "gpu_encode_v2_s": 20.0,
    "gpu_frozen": 30.0,
    "gpu_heads_256": 15.0,
    "gpu_bf16": 30.0,
    "gpu_encode_resnet50": 15.0,
    "gpu_encode_bert": 15.0,
}


def main() -> int:
    """Measure what the command line asks for; returns the exit status."""
    arguments = _arguments()
    started = time.monotonic()
    environment.keep_freed_memory()  # as a run does
    device = pick_device(arguments.device)
    if device.type != "cuda" and not arguments.quick:
        tell("no GPU is there: `--quick` tries the script on a CPU")
        return 2
    wanted = {name: NEEDED[name] for name in arguments.only or NEEDED}
    sizes = GPU_QUICK if arguments.quick else GPU_FULL
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mmclf-bench-") as folder:
        seconds_left = lambda: arguments.budget - (time.monotonic() - started)  # noqa: E731
        bench = Bench(device, sizes, Path(folder), seconds_left)
        for measured in measure(bench, wanted):
            if measured is None:
                continue
            rows.append(replace(measured, commit=arguments.commit or measured.commit))
            _print(rows[-1])
            if arguments.out is not None:
                _write(arguments.out, rows)
    tell(f"done after {time.monotonic() - started:.0f} s")
    return 0 if len(rows) == len(wanted) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=FIGURES, metavar="NAME", help="some figures")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try this script")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
    parser.add_argument(
        "--budget", type=float, default=BUDGET_S, help="seconds after which no figure is begun"
    )
    parser.add_argument("--commit", help="the commit, where this is no checkout")
    parser.add_argument("--out", type=Path, help="the folder of README.md and gpu.csv")
    return parser.parse_args()


def _print(measured: Row) -> None:
    sys.stdout.write(
        f"{measured.figure}: {measured.median:.4g} ({measured.low:.4g} to {measured.high:.4g}, "
        f"n = {measured.n}); {measured.ours}; {measured.theirs}\n    {measured.note}\n"
    )
    sys.stdout.flush()


def _write(out: Path, rows: Sequence[Row]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    merged = results.merged(results.read(out, results.GPU_FILE), rows)
    results.write(out, merged, results.GPU_FILE)
    text = report.readme(results.read(HERE), report.read_texts(HERE), merged)
    (out / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
