"""Where a learner is in an epoch, and all that its next step depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Position:
    """A position in an epoch: after `steps` of its steps.

    Args:
        steps: that have been made.
        order: the generator's state at the beginning, which decides the order of the examples.
        draws: its state after the inputs of these steps were drawn, in the batches' order.

    """

    steps: int
    order: Tensor
    draws: Tensor


def beginning(generator: torch.Generator) -> Position:
    """The beginning of an epoch whose order and inputs the generator will draw."""
    state = generator.get_state()
    return Position(0, state, state)


@dataclass(frozen=True)
class LearnerState:
    """All that a learner's next step depends on.

    Args:
        parts: the states of model, optimizer and the like, by name.
        position: in the epoch.
        random: the states of torch's own generators, by kind of device.

    """

    parts: Mapping[str, Any]
    position: Position
    random: Mapping[str, Tensor]


class Watch(Protocol):
    """Is told of a position in an epoch when it wants to know."""

    @property
    def is_wanted(self) -> bool:
        """Whether it wants to know the next position."""

    def reached(self, position: Position, /) -> None:
        """Take a position: the step before it is done, the one after it has not begun."""


def random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of the generators that dropout and the like draw from on this device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Set them; those of a device that had none stay as they are."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
