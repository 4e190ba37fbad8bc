"""What a run costs beside time, as its metrics `cost/*`; nothing here imports torch.

What a prediction costs is measured when the model is fitted, and stored beside the fit: a run that
reads the fit has its cost too, on the hardware that `mmclf.cost_hardware` names. Memory and energy
are those of the stages when they were computed, as times are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mmclf.storage.store.entry import Entry, StageTiming
from mmclf.storage.store.stage_result import StageResult
from mmclf.training.prediction_cost import PredictionCost

GIGA, MS = 1e9, 1000.0


class PredictionCostSerializer:
    """Stores what a prediction costs as JSON."""

    def write(self, cost: PredictionCost, folder: Path) -> None:
        """Write it to `folder`."""
        (folder / "cost.json").write_text(json.dumps(asdict(cost)), encoding="utf-8")

    def read(self, entry: Entry) -> PredictionCost:
        """Read it back."""
        return cost_from(json.loads(entry.read("cost.json")))


def cost_from(record: dict[str, float]) -> PredictionCost:
    """The cost in a record; raises TypeError or ValueError for another one."""
    return PredictionCost(**{name: float(value) for name, value in record.items()})


def cost_metrics(
    prediction: StageResult[PredictionCost] | None, timings: Sequence[StageTiming]
) -> dict[str, float]:
    """`cost/*`, without what is not known.

    Args:
        prediction: what a prediction costs; None for a fit that was stored without.
        timings: of the run's stages. The peak is the highest of any, energy the sum of all, and
            neither is known if that of one stage is not.

    """
    metrics: dict[str, float] = {}
    if prediction is not None:
        cost = prediction.value
        metrics = {
            "cost/parameters": cost.parameters,
            "cost/trained_parameters": cost.trained_parameters,
            "cost/gflops": cost.flops / GIGA,
            "cost/latency_ms": MS * cost.latency_s,
            "cost/latency_batch_ms": MS * cost.latency_batch_s,
        }
    peaks = [timing.peak_mb for timing in timings]
    energies = [timing.energy_wh for timing in timings]
    known_peaks = [peak for peak in peaks if peak is not None]
    known_energies = [energy for energy in energies if energy is not None]
    if peaks and len(known_peaks) == len(peaks):
        metrics["cost/peak_memory_mb"] = max(known_peaks)
    if energies and len(known_energies) == len(energies):
        metrics["cost/energy_wh"] = sum(known_energies)
    return metrics


def cost_tags(prediction: StageResult[PredictionCost] | None) -> dict[str, str]:
    """`mmclf.cost_hardware`, on which it was measured what a prediction costs."""
    return {} if prediction is None else {"mmclf.cost_hardware": prediction.timing.hardware}
