"""Sharded training: each process keeps a part of the weights, by torch's FSDP."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from mmclf.models.classifier import Classifier
from mmclf.training.batches import TrainingSet
from mmclf.training.distributed.data_parallel import DataParallel
from mmclf.training.distributed.world import World

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
SPREAD = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)


class Sharded(DataParallel):
    """torch's FullyShardedDataParallel, as accelerate's configuration sets it up.

    Whole weights and states are gathered in the main process alone, on the CPU; elsewhere they are
    empty. A copy of the model on the CPU takes the trained weights on.
    """

    are_states_cheap = False

    def __init__(
        self,
        accelerator: Accelerator,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        world: World,
    ) -> None:
        self._whole: Classifier = copy.deepcopy(model).cpu()  # type: ignore[assignment]
        super().__init__(accelerator, model, optimizer, world, has_unused=False)

    def _clean_parts(
        self, inputs: Mapping[str, Any] | None, examples: TrainingSet, batch_size: int
    ) -> list[Tensor]:
        """The logits of a batch.

        All processes have to call the model as often: one without a batch computes the first.
        """
        if inputs is None:
            self.plain_model(examples.eval_batch(slice(batch_size))[0])
        return super()._clean_parts(inputs, examples, batch_size)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the whole weights, in the main process."""
        weights: dict[str, Any] = get_model_state_dict(self.model, options=WHOLE)
        return weights

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Give the model the main process's weights."""
        set_model_state_dict(self.model, dict(weights), options=SPREAD)

    def states(self) -> dict[str, Any]:
        """The whole states of model and optimizer, in the main process."""
        optimizer = get_optimizer_state_dict(self.model, self.bare_optimizer, options=WHOLE)
        return {"model": self.weights(), "optimizer": optimizer}

    def load(self, states: Mapping[str, Any]) -> None:
        """Take on the main process's states."""
        self.restore(states["model"])
        set_optimizer_state_dict(
            self.model, self.bare_optimizer, dict(states["optimizer"]), options=SPREAD
        )

    @property
    def bare_optimizer(self) -> torch.optim.Optimizer:
        """The optimizer that accelerate has wrapped."""
        optimizer: torch.optim.Optimizer = self.optimizer.optimizer
        return optimizer

    def whole_model(self) -> Classifier:
        """The model on the CPU, in the main process with the trained weights."""
        weights = self.weights()
        if self._world.is_main:
            self._whole.load_state_dict(weights)
        return self._whole

    def give_back(self, encoders: dict[str, Any]) -> None:
        """Put encoders whose weights are whole in the place of those that are trained."""
        trained = {name: encoders[name] for name in self._whole.encoders if name in encoders}
        for name, encoder in trained.items():
            if any(weight.requires_grad for weight in encoder.parameters()):
                encoders[name] = self._whole.encoders[name]
