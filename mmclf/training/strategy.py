"""Strategy: where a model's weights are and who computes which rows; here, one process them all."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from mmclf.training.batches import TrainingSet
from mmclf.training.evaluate import clean_logits
from mmclf.training.share import ALONE, Share


class Strategy:
    """Holds a model and its optimizer, as the accelerator prepares them.

    Attributes:
        model: to be called in training.
        optimizer: of its weights.
        share: of each batch that this process computes.

    """

    share: Share = ALONE
    are_states_cheap = True  # so that an epoch can begin with a copy of them

    def __init__(
        self, accelerator: Accelerator, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        self.accelerator = accelerator
        self.model, self.optimizer = accelerator.prepare(model, optimizer)

    @property
    def plain_model(self) -> nn.Module:
        """The model without what trains it."""
        model: nn.Module = self.accelerator.unwrap_model(self.model)
        return model

    def logits(self, inputs: Mapping[str, Any], count: int) -> Tensor:
        """Logits (B, L) of a whole batch of `count`, given the inputs of this process's share."""
        del count
        logits: Tensor = self.model(inputs)
        return logits

    def checked_logits(self, inputs: Mapping[str, Any], count: int) -> Tensor:
        """The same without dropout and without a gradient."""
        self.model.eval()
        with torch.inference_mode():
            return self.logits(inputs, count)

    def accumulating(self, *, is_last: bool) -> AbstractContextManager[None]:
        """The context of a batch's passes, the last one of a step or not."""
        del is_last
        return nullcontext()

    def backward(self, loss: Tensor) -> None:
        """Add to the gradients that of a loss of the whole batch."""
        self.accelerator.backward(loss)

    def clean_logits(
        self, examples: TrainingSet, batch_size: int, after_batch: Callable[[], None]
    ) -> Tensor:
        """The logits (N, L) of the clean inputs of all examples, without dropout."""
        return clean_logits(self.model, examples, batch_size, after_batch)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the model's weights."""
        return copy.deepcopy(self.plain_model.state_dict())

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Give the model these weights."""
        self.plain_model.load_state_dict(weights)

    def whole_model(self) -> nn.Module:
        """The model on the CPU."""
        return self.plain_model.cpu()

    def give_back(self, encoders: dict[str, Any]) -> None:
        """Let the encoders that are trained be used by others."""

    def states(self) -> dict[str, Any]:
        """The states of the model and the optimizer, which go on changing with them."""
        return {"model": self.plain_model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load(self, states: Mapping[str, Any]) -> None:
        """Take on other states."""
        self.plain_model.load_state_dict(states["model"])
        self.optimizer.load_state_dict(states["optimizer"])
