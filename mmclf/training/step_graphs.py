"""Training steps on features as CUDA graphs: a step of a small model is one launch, not dozens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from mmclf.training.cuda_graphs import PLAIN_PASSES, capturing

Inputs = Mapping[str, Tensor]
TrainOn = Callable[[Inputs, Tensor], Tensor]

OPTIMIZERS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)
# A module of anybody's may count its calls, or draw in Python: what is captured would not.
KNOWN = ("torch", "mmclf")


def can_be_captured(
    model: nn.Module, loss: object, optimizer: torch.optim.Optimizer, accelerator: Accelerator
) -> bool:
    """Whether steps of this model are the same operations on a GPU whatever they compute."""
    parts = [*model.modules(), *(loss.modules() if isinstance(loss, nn.Module) else [loss])]
    return (
        accelerator.device.type == "cuda"
        and accelerator.scaler is None
        and type(optimizer) in OPTIMIZERS
        and all(group["fused"] for group in optimizer.param_groups)
        and all(type(part).__module__.partition(".")[0] in KNOWN for part in parts)
    )


class StepGraphs:
    """In place of `train_on(inputs, labels)`, a whole step: replays a graph for shapes that recur.

    It computes the same. A step whose learning rate, or another setting of the optimizer, is not
    that of the steps before is not replayed.
    """

    def __init__(
        self, train_on: TrainOn, optimizer: torch.optim.Optimizer, device: torch.device
    ) -> None:
        self._train_on, self._optimizer = train_on, optimizer
        # All steps run on the stream of the captures: a gradient is bound to that of its weight.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._passes: Counter[Hashable] = Counter()
        self._graphs: dict[Hashable, _StepGraph] = {}
        self._is_capturable = True

    def __call__(self, inputs: Inputs, labels: Tensor) -> Tensor:
        """Train on features (B, D) by modality and labels (B, L); the loss before the step."""
        signature = self._signature(inputs, labels)
        self._passes[signature] += 1
        before = torch.cuda.current_stream()
        self._stream.wait_stream(before)
        with torch.cuda.stream(self._stream):
            if self._is_capturable and self._passes[signature] == PLAIN_PASSES + 1:
                self._capture(signature, inputs, labels)
            loss = self._graphs.get(signature, self._train_on)(inputs, labels)
        before.wait_stream(self._stream)
        return loss

    def _signature(self, inputs: Inputs, labels: Tensor) -> Hashable:
        settings = (
            tuple(value for key, value in group.items() if key != "params")
            for group in self._optimizer.param_groups
        )
        return labels.shape, tuple(value.shape for value in inputs.values()), *settings

    def _capture(self, signature: Hashable, inputs: Inputs, labels: Tensor) -> None:
        groups = [group for group in self._optimizer.param_groups if "capturable" in group]
        for group in groups:  # which torch asks for, and warns of outside a capture
            group["capturable"] = True
        with capturing("training steps"):
            self._graphs[signature] = _StepGraph(self._train_on, inputs, labels, self._stream)
        for group in groups:
            group["capturable"] = False
        self._is_capturable = signature in self._graphs


class _StepGraph:
    """A step on inputs of given shapes."""

    def __init__(self, train_on: TrainOn, inputs: Inputs, labels: Tensor, stream: Any) -> None:
        self._inputs = {name: value.clone() for name, value in inputs.items()}
        self._labels = labels.clone()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
            self._loss = train_on(self._inputs, self._labels)

    def __call__(self, inputs: Inputs, labels: Tensor) -> Tensor:
        for name, value in inputs.items():
            self._inputs[name].copy_(value)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._loss.clone()
