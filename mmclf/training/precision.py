"""The precision of a frozen encoder: bf16 if it is faster and agrees with fp32."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import Tensor

from mmclf.storage.store.json_cache import JsonCache

Precision = Literal["fp32", "bf16"]

MIN_COSINE = 0.999
# A smaller gain is not worth the change of the features, and within noise.
MIN_GAIN = 1.2
REPEATS = 3
# So many times as long in the first pass, bf16 is not measured again.
HOPELESS = 3.0
# What is known without a measurement of a CPU that emulates bf16, tens of times as slow as fp32.
EMULATED: Mapping[str, float | bool | None] = {"gain": None, "cosine": None, "bf16": False}


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """The context of a forward pass in `precision`."""
    context: AbstractContextManager[None] = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=precision == "bf16"
    )
    return context


def resolve(
    requested: Literal["auto", "fp32", "bf16"],
    forward: Callable[[], Tensor],
    *,
    name: str,
    device: torch.device,
    cache: JsonCache,
) -> Precision:
    """`requested`, or for `auto` the result of a measurement.

    The measurement is cached, so that noise never changes what a later run computes.

    Args:
        requested: the setting.
        forward: computes features (B, D) of a small batch.
        name: cache key, of an encoder on a hardware.
        device: that `forward` runs on.
        cache: of measurements.

    """
    if requested != "auto":
        return requested
    measured = cache.get_or_compute(
        name, lambda: dict(EMULATED) if is_emulated(device) else measure(forward, device)
    )
    return "bf16" if measured["bf16"] else "fp32"


def is_emulated(device: torch.device) -> bool:
    """Whether a CPU lacks the instructions that compute in bf16."""
    has_kernels: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if device.type != "cpu" or not has_kernels:
        return False
    return not torch.ops.mkldnn._is_mkldnn_bf16_supported()


def measure(forward: Callable[[], Tensor], device: torch.device) -> dict[str, float | bool | None]:
    """Measure the gain in speed and the minimum cosine similarity of bf16 against fp32.

    Returns them with `bf16`, whether it is to be used; the cosine is None if not finite. Where bf16
    takes several times as long at once, the first pass decides.
    """
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    (fp32_features, fp32_s), (bf16_features, bf16_s) = (
        _run_timed(forward, precision, device) for precision in precisions
    )
    if bf16_s < HOPELESS * fp32_s:
        # Alternately, so that other load on the machine affects both alike.
        rounds = [
            [_run_timed(forward, precision, device)[1] for precision in precisions]
            for _ in range(REPEATS)
        ]
        fp32_s, bf16_s = map(min, zip(*rounds, strict=True))
    cosine = torch.nn.functional.cosine_similarity(fp32_features, bf16_features).min().item()
    gain = fp32_s / bf16_s
    return {
        "gain": round(gain, 3),
        "cosine": round(cosine, 6) if math.isfinite(cosine) else None,
        "bf16": gain >= MIN_GAIN and cosine >= MIN_COSINE,
    }


def _run_timed(
    forward: Callable[[], Tensor], precision: Precision, device: torch.device
) -> tuple[Tensor, float]:
    with torch.inference_mode(), autocast(precision, device):
        started = time.perf_counter()
        features = forward().float().cpu()
        return features, time.perf_counter() - started
