"""The result of a fit: the outputs of every epoch and of the test set, and the model as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.description import read_files, write_files
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry
from mmclf.storage.store.store import StageResult

MODEL = "model"
WEIGHTS = "classifier.safetensors"  # of all trained modules


@dataclass(frozen=True)
class FitResult:
    """The result of a fit.

    Args:
        train: outputs after every epoch, before a refit.
        val: outputs after every epoch, before a refit, which trains on val.
        test: outputs of the final model.
        best: number of the best epoch, from 1.
        summary: of the layers, as text.
        encoders: the values of each encoder's description.
        model: contents of the artifact `model` by file name, without `model.json`.

    """

    train: tuple[SplitOutputs, ...]
    val: tuple[SplitOutputs, ...]
    test: SplitOutputs
    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    model: Mapping[str, bytes]

    def outputs(self) -> dict[str, SplitOutputs]:
        """The outputs of `train`, `val` and `test` of the best epoch."""
        best = self.best - 1
        return {"train": self.train[best], "val": self.val[best], "test": self.test}


@dataclass(frozen=True)
class _Record:
    """The content of `outcome.json`."""

    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    losses: Mapping[str, list[float]]


class FitResultSerializer:
    """Stores a fit's result as NumPy arrays, JSON, and the model's files."""

    def write(self, result: FitResult, folder: Path) -> None:
        """Write it to `folder`."""
        series = {"train": result.train, "val": result.val, "test": (result.test,)}
        for name, outputs in series.items():
            save_array(folder / f"{name}.npy", np.stack([output.logits for output in outputs]))
        losses = {name: [output.loss for output in outputs] for name, outputs in series.items()}
        record = _Record(result.best, result.summary, result.encoders, losses)
        (folder / "outcome.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
        write_files(folder / MODEL, result.model)

    def read(self, entry: Entry) -> FitResult:
        """Read it back."""
        record = _Record(**json.loads(entry.read("outcome.json")))

        def series(name: str) -> tuple[SplitOutputs, ...]:
            stacked = load_array(entry.path(f"{name}.npy"))
            return tuple(map(SplitOutputs, record.losses[name], stacked))

        (test,) = series("test")
        return FitResult(
            train=series("train"),
            val=series("val"),
            test=test,
            best=record.best,
            summary=record.summary,
            encoders=record.encoders,
            model=read_files(entry, MODEL),
        )


class SplitOutputsSerializer:
    """Stores the outputs of a part: logits as a NumPy array, the loss as JSON."""

    def write(self, outputs: SplitOutputs, folder: Path) -> None:
        """Write them to `folder`."""
        save_array(folder / "logits.npy", outputs.logits)
        (folder / "loss.json").write_text(json.dumps(outputs.loss), encoding="utf-8")

    def read(self, entry: Entry) -> SplitOutputs:
        """Read them back."""
        logits = load_array(entry.path("logits.npy"))
        return SplitOutputs(float(json.loads(entry.read("loss.json"))), logits)


def with_test_outputs(
    fit: StageResult[FitResult], tested: StageResult[SplitOutputs]
) -> StageResult[FitResult]:
    """A fit's result with other outputs of the test set, and the costs of both."""
    value = replace(fit.value, test=tested.value)
    return StageResult(value, tested.timing, tested.inputs, tested.reused)
