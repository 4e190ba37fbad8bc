"""The precision in which a frozen encoder runs: bf16 where it is faster and agrees with fp32."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import Tensor

from mmclf.storage.store.json_cache import JsonCache

Precision = Literal["fp32", "bf16"]

LEAST_COSINE = 0.999
# Below this gain the change of the features is not worth it, and noise would decide.
LEAST_GAIN = 1.2
REPEATS = 3


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """The context in which a forward pass runs in that precision."""
    context: AbstractContextManager[None] = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=precision == "bf16"
    )
    return context


def resolve(
    wanted: Literal["auto", "fp32", "bf16"],
    forward: Callable[[], Tensor],
    *,
    name: str,
    device: torch.device,
    cache: JsonCache,
) -> Precision:
    """`wanted`, or for `auto` what a short measurement says, once for an encoder and a hardware.

    `forward` computes features (B, D) of a small batch. What was measured is remembered under
    `name`, so that noise never changes what a later run computes.
    """
    if wanted != "auto":
        return wanted
    measured = cache.get_or_compute(name, lambda: measure(forward, device))
    return "bf16" if measured["bf16"] else "fp32"


def measure(forward: Callable[[], Tensor], device: torch.device) -> dict[str, float | bool | None]:
    """Gain in speed and least cosine of bf16 against fp32, and whether bf16 is to be used.

    The cosine is None where it is not a number.
    """
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    exact, rough = (_timed(forward, precision, device)[0] for precision in precisions)
    # In turn, so that what else the machine does slows both down alike.
    rounds = [
        [_timed(forward, precision, device)[1] for precision in precisions] for _ in range(REPEATS)
    ]
    exact_s, rough_s = map(min, zip(*rounds, strict=True))
    cosine = torch.nn.functional.cosine_similarity(exact, rough).min().item()
    gain = exact_s / rough_s
    return {
        "gain": round(gain, 3),
        "cosine": round(cosine, 6) if math.isfinite(cosine) else None,
        "bf16": gain >= LEAST_GAIN and cosine >= LEAST_COSINE,
    }


def _timed(
    forward: Callable[[], Tensor], precision: Precision, device: torch.device
) -> tuple[Tensor, float]:
    with torch.inference_mode(), autocast(precision, device):
        started = time.perf_counter()
        features = forward().float().cpu()
        return features, time.perf_counter() - started
