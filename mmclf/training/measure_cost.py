"""Measures what a forward pass costs: parameters, operations, seconds of one and of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmclf.training.prediction_cost import BATCH, PredictionCost

ENOUGH_S, MOST = 0.1, 20  # passes are timed until so many seconds are over, or there are so many

Forward = Callable[[], Tensor]


def measure_cost(
    module: Any, sample: Forward, batch: Forward, device: torch.device
) -> PredictionCost:
    """The cost of a module's forward pass, each pass after a first one that is not timed.

    Args:
        module: whose parameters count; a part that is no network has none, nor operations.
        sample: computes the pass of one sample.
        batch: computes that of BATCH samples.
        device: that they compute on.

    """
    parameters = list(module.parameters()) if isinstance(module, nn.Module) else []
    # Not in inference mode, in which torch hides the operations that its counter knows.
    with torch.no_grad():
        sample()
        with FlopCounterMode(display=False) as counter:
            batch()
        return PredictionCost(
            parameters=sum(p.numel() for p in parameters),
            trained_parameters=sum(p.numel() for p in parameters if p.requires_grad),
            flops=counter.get_total_flops() / BATCH,
            latency_s=_seconds(sample, device),
            latency_batch_s=_seconds(batch, device),
        )


def _seconds(forward: Forward, device: torch.device) -> float:
    """The median time of a pass."""
    times: list[float] = []
    while not times or (sum(times) < ENOUGH_S and len(times) < MOST):
        _wait(device)
        started = time.perf_counter()
        forward()
        _wait(device)
        times.append(time.perf_counter() - started)
    return median(times)


def _wait(device: torch.device) -> None:
    """Wait until a GPU has computed what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
