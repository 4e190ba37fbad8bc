"""What runs cost beside time, as columns of a table for whoever asks for them by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mmclf.studies.report.tables.rendering import Formats, in_digits


@dataclass(frozen=True)
class CostColumn:
    """A column: its heading, the metric that it shows, what divides it, and its digits."""

    heading: str
    metric: str
    unit: float = 1.0
    digits: int = 1


# By the short name. A new one is an entry here.
COSTS: Mapping[str, CostColumn] = {
    "parameters": CostColumn("Parameters (M)", "cost/parameters", 1e6, 2),
    "trained": CostColumn("Trained (M)", "cost/trained_parameters", 1e6, 2),
    "gflops": CostColumn("GFLOPs", "cost/gflops", digits=3),
    "latency": CostColumn("Latency (ms)", "cost/latency_ms"),
    "batch_latency": CostColumn("Batch latency (ms)", "cost/latency_batch_ms"),
    "memory": CostColumn("Peak memory (MB)", "cost/peak_memory_mb", digits=0),
    "energy": CostColumn("Energy (Wh)", "cost/energy_wh", digits=3),
}
HEADINGS = tuple(column.heading for column in COSTS.values())
COST_FORMATS: Formats = {column.heading: in_digits(column.digits) for column in COSTS.values()}


def cost_cells(value_of: Callable[[str], float]) -> dict[str, float]:
    """The cells of a row by their headings; `value_of` gives a metric, NaN if not known."""
    return {column.heading: value_of(column.metric) / column.unit for column in COSTS.values()}


def known_costs(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The headings of the costs that any row knows."""
    return [
        heading
        for heading in HEADINGS
        if any(isinstance(v := row[heading], float) and not math.isnan(v) for row in rows)
    ]
