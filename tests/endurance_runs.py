"""Small runs in processes of their own, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

SMALL = (
    "data.train=60",
    "data.test=20",
    "trainer.epochs=3",
    "vision=timm",
    "vision.name=test_efficientnet",
    "vision.weights=random",
    "image.size=32",
    "augment=crop_flip",
    "augment.views=2",
    "augment.padding=4",
    "head.hidden=16",
    "encode.precision=fp32",
    "device=cpu",
)

STUDY = (
    *("study=fusion", "study.factors.fusion=[concat,sum,gated]", "study.seeds=2"),
    *("vision=none", "text=tfidf", "device=cpu"),
    *("data.train=60", "data.test=20", "trainer.epochs=2", "head.hidden=16"),
)


TRAINED = (
    *(*SMALL, "vision.trainable=true", "text=bert", "text.weights=random", "text.trainable=true"),
    *("+text.architecture.hidden_size=16", "+text.architecture.num_hidden_layers=1"),
    *("+text.architecture.num_attention_heads=2", "+text.architecture.intermediate_size=16"),
    *("trainer.batch_size=8", "trainer.refit=true", "head.dropout=0.3", "scheduler=one_cycle"),
)


@dataclass(frozen=True)
class Scale:
    """How much is tried: little in `make test`, all of it in `make soak`."""

    kills: int
    flips: int
    races: int
    studies: int
    examples: int  # of damaged files of each kind
    commands: int  # that are killed, of each kind
    pages: int  # studies that are killed at their end
    sharing: int  # processes of one study, with as many cells each


@dataclass(frozen=True)
class Numbers:
    """What a run came to: its metrics but for times, and its logits."""

    metrics: dict[str, float]
    logits: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Numbers)
            and self.metrics == other.metrics
            and all(np.array_equal(self.logits[part], other.logits[part]) for part in self.logits)
        )

    __hash__ = None  # type: ignore[assignment]


Start = Callable[[Path], BaseProcess]
StartCommand = Callable[[Path, tuple[str, ...]], BaseProcess]


def numbers_of(folder: Path, pid: int | None) -> Numbers:
    """What the process `pid` left in `folder`."""
    tracked = json.loads((folder / f"{pid}.json").read_text())
    with np.load(folder / f"{pid}.npz") as logits:
        return Numbers(tracked, {name: logits[name] for name in logits.files})


def kill_at(start: Callable[[], BaseProcess], share: float, seconds: float) -> float:
    """Kill a process when a share of its time is over; the seconds that it takes, as now known.

    One that ends before is started again, and killed earlier: what was measured depends on what
    else the machine does.
    """
    while True:
        process, started = start(), time.monotonic()
        process.join(share * seconds)
        if process.exitcode is None:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        if process.exitcode == -signal.SIGKILL:
            return seconds
        assert process.exitcode == 0
        seconds = 0.9 * min(seconds, time.monotonic() - started)


def run_here(folder: Path) -> None:
    """The whole life of a process: one run below `folder`, its numbers in files beside it."""
    _run_here(folder, SMALL)


def train_here(folder: Path) -> None:
    """Likewise of a run that trains both encoders."""
    _run_here(folder, TRAINED)


def _run_here(folder: Path, settings: tuple[str, ...]) -> None:
    import mmclf

    _write_to_log(folder)
    try:
        result = mmclf.run(mmclf.compose([*settings, f"output_dir={folder}"]))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    measured = ("time/", "speed/", "cost/")
    kept = {k: v for k, v in result.metrics.items() if not k.startswith(measured)}
    np.savez(folder / f"{os.getpid()}.npz", **result.logits)  # type: ignore[arg-type]
    (folder / f"{os.getpid()}.json").write_text(json.dumps(kept))
    os._exit(0)


def study_here(folder: Path) -> None:
    """The whole life of a process: a study of six small runs below `folder`."""
    from mmclf.cli.main import main

    _write_to_log(folder)
    try:
        status = main([*STUDY, f"output_dir={folder}"])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(status)


def command_here(folder: Path, words: tuple[str, ...]) -> None:
    """The whole life of a process: a command whose output is below `folder`."""
    from mmclf.cli.main import main

    # What a shell runs in the background ignores SIGINT, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _write_to_log(folder)
    try:
        status = main([*words, f"output_dir={folder}"])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(status)


def _write_to_log(folder: Path) -> None:
    """Send what the process prints to a file in `folder` that is called after it."""
    folder.mkdir(parents=True, exist_ok=True)
    output = os.open(folder / f"{os.getpid()}.log", os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
