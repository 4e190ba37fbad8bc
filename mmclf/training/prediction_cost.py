"""What a prediction costs, as numbers; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass, fields

BATCH = 32


@dataclass(frozen=True)
class PredictionCost:
    """What a prediction costs, by a whole model or by a part of it; the costs of parts add up.

    Args:
        parameters: their number.
        trained_parameters: how many of them are trained.
        flops: of a sample, as torch counts them: a multiplication and an addition are two.
        latency_s: of one sample, from its pixels and tokens to its logits.
        latency_batch_s: of BATCH samples.

    """

    parameters: float
    trained_parameters: float
    flops: float
    latency_s: float
    latency_batch_s: float

    def __add__(self, other: PredictionCost) -> PredictionCost:
        """The cost of both parts, one after the other."""
        names = [field.name for field in fields(self)]
        return PredictionCost(
            **{name: getattr(self, name) + getattr(other, name) for name in names}
        )
