"""Which strategy trains a model in several processes, and what they agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator, DistributedType
from torch import nn

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.training.distributed.data_parallel import DataParallel
from mmclf.training.distributed.sharded import Sharded
from mmclf.training.distributed.world import World
from mmclf.training.strategy import Strategy

Score = Callable[[SplitOutputs], float]


def strategy_in(
    world: World, inputs: Mapping[str, Any]
) -> Callable[[Accelerator, nn.Module, torch.optim.Optimizer], Strategy]:
    """What makes the strategy of a model in this world; `inputs` are of a few samples."""
    return partial(_strategy, world, inputs)


def _strategy(
    world: World,
    inputs: Mapping[str, Any],
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> Strategy:
    if is_sharded(accelerator):
        return Sharded(accelerator, model, optimizer, world)
    unused = has_unused_parameters(model, inputs)
    return DataParallel(accelerator, model, optimizer, world, has_unused=unused)


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether accelerate is configured to share out the weights."""
    return bool(accelerator.distributed_type == DistributedType.FSDP)


def has_unused_parameters(model: nn.Module, inputs: Mapping[str, Any]) -> bool:
    """Whether the logits of some inputs hang on fewer parameters than take a gradient.

    Looked for without dropout, which would draw, and without a change of running statistics.
    """
    was_training = model.training
    model.eval()
    parameters = [p for p in model.parameters() if p.requires_grad]
    with torch.enable_grad():
        gradients = torch.autograd.grad(model(inputs).sum(), parameters, allow_unused=True)
    model.train(was_training)
    return any(gradient is None for gradient in gradients)


def agreed_score(score: Score, world: World) -> Score:
    """The main process's score, in all processes: they stop early together."""

    def agreed(outputs: SplitOutputs) -> float:
        return world.value_of_main(score(outputs) if world.is_main else 0.0)

    return agreed
