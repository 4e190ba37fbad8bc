"""Checkpoint: how far a fit is, with all that the rest of it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.storage.store.entry import Entry
from mmclf.training.learner_state import LearnerState, Position
from mmclf.training.state_files import read_state, write_state


@dataclass(frozen=True)
class Epoch:
    """The outputs after epoch `number`, from 1; `score` is higher where the epoch is better."""

    number: int
    train: SplitOutputs
    val: SplitOutputs
    score: float


def best_of(epochs: Sequence[Epoch]) -> Epoch:
    """The epoch of the highest score, the first of equals."""
    return max(epochs, key=lambda epoch: epoch.score)


@dataclass(frozen=True)
class Checkpoint:
    """How far a fit is.

    Args:
        epochs: that have been evaluated.
        best: the weights of the best of them; None before the first, and in a refit.
        refitted: the epochs that a refit has trained for; None before it.
        learner: in the epoch after all these.

    """

    epochs: tuple[Epoch, ...]
    best: Mapping[str, Tensor] | None
    refitted: int | None
    learner: LearnerState


class Keeper(Protocol):
    """Decides when a checkpoint of a fit is kept, and knows that of an earlier attempt."""

    @property
    def resumed(self) -> Checkpoint | None:
        """Where an earlier attempt was; None to begin anew."""

    @property
    def is_wanted(self) -> bool:
        """Whether a checkpoint is wanted as soon as there can be one."""

    def is_due(self, epoch: int, /) -> bool:
        """Whether one is wanted after this epoch."""

    def keep(self, checkpoint: Checkpoint, /) -> None:
        """Keep it in place of the one before; may end the fit, if that is why it was wanted."""

    def refuse(self, error: Exception, /) -> None:
        """Take that `resumed` does not fit what is trained."""

    def give_way(self) -> None:
        """End the fit without a checkpoint if one is wanted because it has to end."""


class NotKept:
    """Keeps no checkpoints."""

    resumed: Checkpoint | None = None
    is_wanted = False

    def is_due(self, _epoch: int) -> bool:
        """Never."""
        return False

    def keep(self, _checkpoint: Checkpoint) -> None:
        """Do nothing."""

    def refuse(self, _error: Exception) -> None:
        """Do nothing."""

    def give_way(self) -> None:
        """Do nothing."""


class CheckpointSerializer:
    """Stores a checkpoint as tensors and JSON."""

    def write(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Write it to `folder`; raises TypeError if a state holds anything that is neither."""
        write_state(plain_checkpoint(checkpoint), folder)

    def read(self, entry: Entry) -> Checkpoint:
        """Read it back."""
        return checkpoint_of(read_state(entry))


def plain_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as numbers, texts and tensors, in lists and dictionaries."""
    position = checkpoint.learner.position
    return {
        "epochs": [_plain_epoch(epoch) for epoch in checkpoint.epochs],
        "best": checkpoint.best,
        "refitted": checkpoint.refitted,
        "parts": dict(checkpoint.learner.parts),
        "random": dict(checkpoint.learner.random),
        "steps": position.steps,
        "order": position.order,
        "draws": position.draws,
    }


def checkpoint_of(state: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint of what `plain_checkpoint` gives."""
    position = Position(state["steps"], state["order"], state["draws"])
    return Checkpoint(
        epochs=tuple(_epoch(number, *epoch) for number, epoch in enumerate(state["epochs"], 1)),
        best=state["best"],
        refitted=state["refitted"],
        learner=LearnerState(state["parts"], position, state["random"]),
    )


def _plain_epoch(epoch: Epoch) -> list[Any]:
    series = [(part.loss, torch.from_numpy(part.logits)) for part in (epoch.train, epoch.val)]
    return [*series, epoch.score]


def _epoch(number: int, train: tuple[Any, ...], val: tuple[Any, ...], score: float) -> Epoch:
    trained, validated = (SplitOutputs(loss, logits.numpy()) for loss, logits in (train, val))
    return Epoch(number, trained, validated, score)
