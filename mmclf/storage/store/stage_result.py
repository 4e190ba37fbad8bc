"""The result of a stage, computed just now or stored before, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mmclf.storage.store.entry import StageTiming

T = TypeVar("T")


@dataclass(frozen=True)
class Computed(Generic[T]):
    """A newly computed value.

    Args:
        value: the result of the stage.
        seconds: spent on computing it.
        count: of samples, views or the like that were processed.
        inputs: the costs of the results that it was computed from.

    """

    value: T
    seconds: float
    count: int
    inputs: Sequence[StageTiming] = ()


@dataclass(frozen=True)
class StageResult(Generic[T]):
    """The result of a stage.

    Args:
        value: what the stage computed.
        timing: what it cost when it was computed.
        inputs: the costs of all results that it was computed from.
        reused: whether it was stored already, or computed by another process meanwhile.

    """

    value: T
    timing: StageTiming
    inputs: tuple[StageTiming, ...]
    reused: bool

    @property
    def timings(self) -> tuple[StageTiming, ...]:
        """The cost of the result and those of its inputs."""
        return (self.timing, *self.inputs)
