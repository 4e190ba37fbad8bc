"""Decide: from the logits of a fit to thresholds and all scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.pipeline.fit_result import FitResult, SplitOutputs
from mmclf.pipeline.run_data import RunData
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import Entry, StageTiming
from mmclf.storage.store.store import Computed

Floats = NDArray[np.float64]
History = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Verdict:
    """Thresholds (L,), the scores of the best epoch, and those of train and val by epoch."""

    thresholds: Floats
    metrics: Mapping[str, float]
    history: History


class EvaluationSerializer:
    """A verdict in the store: JSON, whose numbers come back to the bit."""

    def write(self, verdict: Verdict, folder: Path) -> None:
        """Write it to `folder`."""
        told = asdict(verdict) | {"thresholds": verdict.thresholds.tolist()}
        (folder / "verdict.json").write_text(json.dumps(told), encoding="utf-8")

    def read(self, entry: Entry) -> Verdict:
        """Read it back."""
        told = json.loads(entry.read("verdict.json"))
        thresholds = np.asarray(told["thresholds"], dtype=np.float64)
        return Verdict(thresholds, told["metrics"], told["history"])


def judge(
    material: RunData, outcome: FitResult, history: History | None, inputs: Sequence[StageTiming]
) -> Computed[Verdict]:
    """The verdict on a fit that cost `inputs`; `history` if its epochs have been scored already."""
    from mmclf.evaluation import scores  # waits for scikit-learn

    if history is None:
        pairs = zip(outcome.train, outcome.val, strict=True)
        history = [epoch_scores(material, train, val) for train, val in pairs]
    clock = Stopwatch()
    rule, parts = material.threshold, outcome.parts()
    chances = {name: scores.probabilities_of(part.logits) for name, part in parts.items()}
    thresholds, fitted = scores.fit_thresholds(rule, material.labels("val"), chances["val"])
    metrics: dict[str, float] = {}
    for name, part in parts.items():
        labels, chance = material.labels(name), chances[name]
        metrics |= scores.part_scores(name, part.loss, labels, chance, thresholds, rule.empty)
        if name != "train":
            metrics |= scores.common_threshold_scores(name, labels, chance, fitted, rule.empty)
    metrics |= scores.label_scores(
        material.samples.label_names,
        material.labels("test"),
        chances["test"],
        thresholds,
        rule.empty,
    )
    verdict = Verdict(thresholds, metrics, list(history))
    return Computed(verdict, clock.elapsed(), len(material.samples), inputs)


def epoch_scores(material: RunData, train: SplitOutputs, val: SplitOutputs) -> dict[str, float]:
    """The scores of train and val after an epoch, at the thresholds that val gives then."""
    from mmclf.evaluation import scores

    rule, judged = material.threshold, {"train": train, "val": val}
    chances = {name: scores.probabilities_of(part.logits) for name, part in judged.items()}
    thresholds = rule.fit(chances["val"], material.labels("val"))
    return {
        key: value
        for name, part in judged.items()
        for key, value in scores.part_scores(
            name, part.loss, material.labels(name), chances[name], thresholds, rule.empty
        ).items()
    }
