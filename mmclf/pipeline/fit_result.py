"""The result of a fit: the outputs of every epoch and of the test set, and the model as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.description import read_files, write_files
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry
from mmclf.storage.store.stage_result import StageResult

MODEL = "model"
WEIGHTS = "classifier.safetensors"  # of all trained modules


@dataclass(frozen=True)
class FitResult:
    """The result of a fit.

    Args:
        train: outputs after every epoch, before a refit.
        val: outputs after every epoch, before a refit, which trains on val.
        outputs: of `train`, `val` and `test` of the best epoch, as the stages after the fit leave
            them; thresholds and metrics are of these.
        best: number of the best epoch, from 1.
        summary: of the layers, as text.
        encoders: the values of each encoder's description.
        model: contents of the artifact `model` by file name, without `model.json`.

    """

    train: tuple[SplitOutputs, ...]
    val: tuple[SplitOutputs, ...]
    outputs: Mapping[str, SplitOutputs]
    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    model: Mapping[str, bytes]


def best_outputs(
    train: Sequence[SplitOutputs], val: Sequence[SplitOutputs], test: SplitOutputs, best: int
) -> dict[str, SplitOutputs]:
    """The outputs of each part of the best epoch."""
    return {"train": train[best - 1], "val": val[best - 1], "test": test}


@dataclass(frozen=True)
class _Record:
    """The content of `fit.json`."""

    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    losses: Mapping[str, list[float]]


class FitResultSerializer:
    """Stores a fit's result as NumPy arrays, JSON, and the model's files."""

    def write(self, result: FitResult, folder: Path) -> None:
        """Write it to `folder`."""
        test = result.outputs["test"]
        series = {"train": result.train, "val": result.val, "test": (test,)}
        for name, outputs in series.items():
            save_array(folder / f"{name}.npy", np.stack([output.logits for output in outputs]))
        losses = {name: [output.loss for output in outputs] for name, outputs in series.items()}
        record = _Record(result.best, result.summary, result.encoders, losses)
        (folder / "fit.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
        write_files(folder / MODEL, result.model)

    def read(self, entry: Entry) -> FitResult:
        """Read it back."""
        record = _Record(**json.loads(entry.read("fit.json")))

        def series(name: str) -> tuple[SplitOutputs, ...]:
            stacked = load_array(entry.path(f"{name}.npy"))
            return tuple(map(SplitOutputs, record.losses[name], stacked))

        train, val, (test,) = series("train"), series("val"), series("test")
        return FitResult(
            train=train,
            val=val,
            outputs=best_outputs(train, val, test, record.best),
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


def with_outputs(
    fit: StageResult[FitResult],
    later: StageResult[Any],
    outputs: Mapping[str, SplitOutputs],
) -> StageResult[FitResult]:
    """A fit's result with outputs that a later stage has changed, and the costs of both.

    Args:
        fit: the result, whose costs are among those of the later stage's inputs.
        later: the result of that stage.
        outputs: of the parts that it changes.

    """
    value = replace(fit.value, outputs={**fit.value.outputs, **outputs})
    return StageResult(value, later.timing, later.inputs, later.reused)
