"""Where a learner is in an epoch, and all that its next step depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Place:
    """A place in an epoch: after `steps` of its steps.

    Args:
        steps: that have been made.
        order: the generator's state at the beginning, which decides the order of the examples.
        draws: its state after the inputs of these steps were drawn, in the batches' order.

    """

    steps: int
    order: Tensor
    draws: Tensor


def beginning(generator: torch.Generator) -> Place:
    """The beginning of an epoch whose order and inputs the generator will draw."""
    state = generator.get_state()
    return Place(0, state, state)


@dataclass(frozen=True)
class LearnerState:
    """All that a learner's next step depends on.

    Args:
        parts: the states of model, optimizer and the like, by name.
        place: in the epoch.
        random: the states of torch's own generators, by kind of device.

    """

    parts: Mapping[str, Any]
    place: Place
    random: Mapping[str, Tensor]


class Watch(Protocol):
    """Is told of a place in an epoch when it wants to know."""

    @property
    def is_wanted(self) -> bool:
        """Whether it wants to know the next place."""

    def reached(self, place: Place, /) -> None:
        """Take a place: the step before it is done, the one after it has not begun."""


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
