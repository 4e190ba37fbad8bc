"""Data-parallel training: each process has all weights, and computes its rows of every batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn

from mmclf.training.batches import TrainingSet
from mmclf.training.distributed.whole_batch import whole_batch
from mmclf.training.distributed.world import World
from mmclf.training.draw import eval_batches
from mmclf.training.strategy import Strategy


class DataParallel(Strategy):
    """torch's DistributedDataParallel, as accelerate prepares it.

    The gradients are those of one process: the loss is that of the whole batch, whatever loss it
    is, and the processes' gradients are added up. Batch statistics are of the process's own rows;
    the running ones of the main process are evaluated, and kept.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        world: World,
        *,
        has_unused: bool,
    ) -> None:
        # Looking for parameters without a gradient costs time in every step.
        accelerator.ddp_handler = DistributedDataParallelKwargs(find_unused_parameters=has_unused)
        super().__init__(accelerator, model, optimizer)
        self.share, self._world = world.share, world

    def logits(self, inputs: Mapping[str, Any], count: int) -> Tensor:
        """Logits (B, L) of the whole batch, those of this process's share with their gradient."""
        # Weights that are sharded in half precision give such logits, of which a loss is not taken.
        return whole_batch(self.model(inputs).float(), count, self._world)

    def checked_logits(self, inputs: Mapping[str, Any], count: int) -> Tensor:
        """The same without dropout and without a gradient."""
        self.plain_model.eval()
        with torch.no_grad():
            return whole_batch(self.plain_model(inputs), count, self._world)

    def accumulating(self, *, is_last: bool) -> AbstractContextManager[None]:
        """The gradients are added up over the processes with the last batch of a step alone."""
        context: AbstractContextManager[None] = (
            nullcontext() if is_last else self.accelerator.no_sync(self.model)
        )
        return context

    def backward(self, loss: Tensor) -> None:
        """Add to the gradients that of a loss of the whole batch."""
        self.accelerator.backward(loss * self._world.size)  # of which a mean is taken

    def clean_logits(
        self, examples: TrainingSet, batch_size: int, after_batch: Callable[[], None]
    ) -> Tensor:
        """The logits (N, L) of the clean inputs, each process computing its share of the batches.

        The batches are those of one process.
        """
        world = self._world
        world.align_buffers(self.plain_model)
        self.plain_model.eval()
        starts = range(0, len(examples), batch_size)
        counts = [
            sum(min(batch_size, len(examples) - start) for start in starts[own])
            for own in self.share.all_of(len(starts))
        ]
        parts = [examples.labels.new_zeros(0, examples.labels.shape[1])]
        drawn = eval_batches(examples, batch_size, self.share)
        with torch.no_grad():
            for _ in range(-(-len(starts) // world.size)):  # as often in all of them
                parts += self._clean_parts(next(drawn, None), examples, batch_size)
                after_batch()
            return torch.cat(world.gather(torch.cat(parts), counts))

    def _clean_parts(
        self, inputs: Mapping[str, Any] | None, examples: TrainingSet, batch_size: int
    ) -> list[Tensor]:
        """The logits of a batch; none of no batch, where others still have one."""
        del examples, batch_size
        return [] if inputs is None else [self.plain_model(inputs).float()]
