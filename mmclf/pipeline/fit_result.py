"""What a fit came to: the logits of every epoch, the test set's, and the model as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.models.description import read_files, write_files
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry
from mmclf.storage.store.store import StageResult

Logits = NDArray[np.float32]
MODEL = "model"
WEIGHTS = "classifier.safetensors"  # of all that was trained, among the model's files


@dataclass(frozen=True)
class SplitOutputs:
    """A part of the data after an epoch: its loss, and its logits (N, L)."""

    loss: float
    logits: Logits


@dataclass(frozen=True)
class FitResult:
    """Train and val after every epoch, test after the best one, number `best` from 1.

    After a refit train and val are still those of the model that chose the epoch: val is seen by
    the refit one. `summary`: the layers in words; `encoders`: what each encoder is; `model`: the
    files of the artifact `model` but for what the threshold decides.
    """

    train: tuple[SplitOutputs, ...]
    val: tuple[SplitOutputs, ...]
    test: SplitOutputs
    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    model: Mapping[str, bytes]

    def parts(self) -> dict[str, SplitOutputs]:
        """`train`, `val` and `test` of the best epoch."""
        best = self.best - 1
        return {"train": self.train[best], "val": self.val[best], "test": self.test}


@dataclass(frozen=True)
class Facts:
    """What `outcome.json` holds."""

    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    losses: Mapping[str, list[float]]


class FitResultSerializer:
    """An outcome in the store: arrays of NumPy, JSON, and the model's own files."""

    def write(self, outcome: FitResult, folder: Path) -> None:
        """Write it to `folder`."""
        series = {"train": outcome.train, "val": outcome.val, "test": (outcome.test,)}
        for name, judged in series.items():
            stacked = np.stack([one.logits for one in judged])
            save_array(folder / f"{name}.npy", stacked)
        losses = {name: [one.loss for one in judged] for name, judged in series.items()}
        facts = Facts(outcome.best, outcome.summary, outcome.encoders, losses)
        (folder / "outcome.json").write_text(json.dumps(asdict(facts)), encoding="utf-8")
        write_files(folder / MODEL, outcome.model)

    def read(self, entry: Entry) -> FitResult:
        """Read it back."""
        facts = Facts(**json.loads(entry.read("outcome.json")))

        def series(name: str) -> tuple[SplitOutputs, ...]:
            stacked = load_array(entry.path(f"{name}.npy"))
            return tuple(map(SplitOutputs, facts.losses[name], stacked))

        (test,) = series("test")
        return FitResult(
            train=series("train"),
            val=series("val"),
            test=test,
            best=facts.best,
            summary=facts.summary,
            encoders=facts.encoders,
            model=read_files(entry, MODEL),
        )


class SplitOutputsSerializer:
    """A part of the data in the store: its logits as an array of NumPy, its loss as JSON."""

    def write(self, judged: SplitOutputs, folder: Path) -> None:
        """Write it to `folder`."""
        save_array(folder / "logits.npy", judged.logits)
        (folder / "loss.json").write_text(json.dumps(judged.loss), encoding="utf-8")

    def read(self, entry: Entry) -> SplitOutputs:
        """Read it back."""
        logits = load_array(entry.path("logits.npy"))
        return SplitOutputs(float(json.loads(entry.read("loss.json"))), logits)


def retested(
    outcome: StageResult[FitResult], tested: StageResult[SplitOutputs]
) -> StageResult[FitResult]:
    """An outcome with the test set judged otherwise, at the cost of both."""
    value = replace(outcome.value, test=tested.value)
    return StageResult(value, tested.timing, tested.inputs, tested.found)
