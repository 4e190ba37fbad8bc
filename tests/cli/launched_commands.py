"""Commands in several processes, as torchrun or a batch system starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.storage.tracking import TrackedRun, Tracker

ROOT = Path(__file__).parents[2]
WAIT_S = 900
SMALL = (
    *("data.train=60", "data.test=20", "trainer.epochs=3", "trainer.batch_size=8", "device=cpu"),
    *("vision=timm", "vision.name=test_efficientnet", "vision.weights=random", "image.size=32"),
    *("augment=crop_flip", "augment.views=2", "augment.padding=4", "encode.precision=fp32"),
    *("encode.batch_size=16", "text=bert", "text.weights=random", "text.trainable=true"),
    *("+text.architecture.hidden_size=16", "+text.architecture.num_hidden_layers=1"),
    *("+text.architecture.num_attention_heads=2", "+text.architecture.intermediate_size=16"),
    *("trainer.refit=true", "head.hidden=16"),
)
WITHOUT_DROPOUT = (
    *("head.dropout=0", "+text.architecture.hidden_dropout_prob=0.0"),
    "+text.architecture.attention_probs_dropout_prob=0.0",
)
# A loss that does something once, in a step of one process, as a module of the user's own.
ODD_LOSS = """
import os
import pathlib
import signal
import torch

DONE = pathlib.Path(__file__).with_name("done")

class Odd(torch.nn.BCEWithLogitsLoss):
    def __init__(self, what, rank=1, step=5):
        super().__init__()
        self.what, self.rank, self.step, self.steps = what, rank, step, 0

    def forward(self, logits, labels):
        value = super().forward(logits, labels)
        self.steps += value.requires_grad
        is_here = self.steps == self.step and os.environ["RANK"] == str(self.rank)
        if not is_here or DONE.exists():
            return value
        DONE.touch()
        if self.what == "fail":
            raise RuntimeError("odd")
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "end": signal.SIGTERM}[self.what])
        return value
"""


@dataclass(frozen=True)
class Ended:
    """What a process ended with."""

    status: int
    output: str
    errors: str


def environment() -> dict[str, str]:
    """Of commands that find this checkout, and compute with one thread."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def torchrun(folder: Path, *words: str) -> Ended:
    """A command in two processes of torchrun's, with outputs below `folder`."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, "--nproc-per-node=2", "-m", "mmclf", *words, f"output_dir={folder}"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def without_agent(folder: Path | None, *words: str, count: int = 2) -> list[Ended]:
    """A command in processes that nobody watches, as srun starts them."""
    words = words if folder is None else (*words, f"output_dir={folder}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    world = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "mmclf", *words],
            env=environment() | world | {"RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        outputs = [process.communicate(timeout=WAIT_S) for process in processes]
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
    return [
        Ended(process.returncode, *texts) for process, texts in zip(processes, outputs, strict=True)
    ]


def odd_loss(folder: Path, what: str, rank: int = 1) -> Sequence[str]:
    """The words that choose a loss with which the process `rank` does `what` in its fifth step."""
    own = folder / "own"
    (own / "loss").mkdir(parents=True, exist_ok=True)
    (own / "odd_loss.py").write_text(ODD_LOSS)
    (own / "loss" / "odd.yaml").write_text("_target_: odd_loss.Odd\nwhat: fail\nrank: 1\nstep: 5\n")
    allowed = f"--config-dir={own}", "allow_targets=[odd_loss]"
    return (*allowed, "loss=odd", f"loss.what={what}", f"loss.rank={rank}")


def runs_in(folder: Path) -> list[TrackedRun]:
    """The tracked runs, the most recent first."""
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).runs()


def numbers_of(run: TrackedRun) -> dict[str, float]:
    """A run's metrics but its times."""
    timed = ("time/", "speed/", "cost/")
    return {name: value for name, value in run.metrics.items() if not name.startswith(timed)}
