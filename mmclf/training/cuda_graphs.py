"""Encoders whose passes on a GPU are CUDA graphs: one launch instead of thousands.

An encoder of some hundred layers takes the CPU longer to launch than the GPU to compute; a pass
that has been captured is launched as a whole.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

PLAIN_PASSES = 3  # over inputs of the same shapes, before they are captured
MAX_GRAPHS = 8  # of an encoder: each keeps the gradients of all weights once more
# A graph keeps the memory of its pass: there must be room for as much again as was used before.
MAX_MEMORY_SHARE = 0.45

_log = logging.getLogger(__name__)


@contextmanager
def cuda_graphs(encoders: Collection[Any], device: torch.device) -> Iterator[None]:
    """Capture the encoders' passes as CUDA graphs within the block, if the device is a GPU.

    They compute the same. Their weights must stay where they are in memory, and an encoder be
    called once before the backward pass. An encoder whose passes cannot be captured, as it waits
    for the device, runs as it is, with a warning; so do all where memory is scarce.
    """
    captured: list[Any] = []
    if device.type == "cuda":
        captured = [encoder for encoder in encoders if isinstance(encoder, nn.Module)]
    if captured:
        torch.cuda.reset_peak_memory_stats(device)
    memory = _Memory(device)
    for encoder in captured:
        encoder.forward = _GraphedForward(encoder, memory)
    try:
        yield
    finally:
        for encoder in captured:
            del encoder.forward


@contextmanager
def capturing(what: str) -> Iterator[None]:
    """Capture `what` within the block, which leaves the random state and the stream as they were.

    What cannot be captured ends the block with a warning: it waits for the device, or looks at what
    it computes.
    """
    random, stream = torch.cuda.get_rng_state(), torch.cuda.current_stream()
    try:
        yield
    except RuntimeError as error:
        _log.warning("%s are not captured as CUDA graphs: %s", what, error)
        # What was cut short has left the generator as if it were still captured.
        own = torch.cuda.default_generators[stream.device.index]
        own.graphsafe_set_state(torch.Generator(stream.device).graphsafe_get_state())
    finally:
        torch.cuda.set_stream(stream)
        torch.cuda.set_rng_state(random)


class _Memory:
    """Whether a device has memory for graphs, decided once: before the first one takes some."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    @cached_property
    def is_enough(self) -> bool:
        """Whether the memory used so far leaves as much again."""
        _, total = torch.cuda.mem_get_info(self._device)
        return torch.cuda.max_memory_reserved(self._device) < MAX_MEMORY_SHARE * total


class _GraphedForward:
    """In place of an encoder's `forward`: replays a graph for inputs of shapes that recur."""

    def __init__(self, encoder: nn.Module, memory: _Memory) -> None:
        self._encoder, self._plain, self._memory = encoder, encoder.forward, memory
        self._passes: Counter[Hashable] = Counter()
        self._graphs: dict[Hashable, _Graph] = {}
        self._is_capturable = True
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, inputs: Any) -> Tensor:
        """The features (B, D) of some inputs."""
        leaves, spec = tree_flatten(inputs)
        signature = (
            self._encoder.training,
            torch.is_grad_enabled(),
            torch.is_autocast_enabled("cuda"),
            torch.get_autocast_dtype("cuda"),
            str(spec),
            *((leaf.shape, leaf.stride(), leaf.dtype) for leaf in leaves),
        )
        self._passes[signature] += 1
        if signature not in self._graphs and self._is_to_be_captured(signature):
            self._capture(signature, leaves, spec)
        graph = self._graphs.get(signature)
        features: Tensor = graph(leaves) if graph is not None else self._plain(inputs)
        return features

    def _is_to_be_captured(self, signature: Hashable) -> bool:
        return (
            self._is_capturable
            and self._passes[signature] > PLAIN_PASSES
            and len(self._graphs) < MAX_GRAPHS
            and self._memory.is_enough
        )

    def _capture(self, signature: Hashable, leaves: Sequence[Tensor], spec: TreeSpec) -> None:
        buffers = [(buffer, buffer.clone()) for buffer in self._encoder.buffers()]
        del self._encoder.forward  # its own meanwhile
        try:
            with capturing(f"the passes of {type(self._encoder).__name__}"):
                self._graphs[signature] = _Graph(self._encoder, leaves, spec, self._pool)
        finally:
            self._encoder.forward = self
            with torch.no_grad():
                for buffer, value in buffers:  # which a pass to warm up has changed
                    buffer.copy_(value)
        self._is_capturable = signature in self._graphs


class _Graph:
    """A pass over inputs of given shapes, and its backward pass where gradients are wanted."""

    def __init__(
        self,
        encoder: nn.Module,
        leaves: Sequence[Tensor],
        spec: TreeSpec,
        pool: Any,
    ) -> None:
        self._inputs = [leaf.clone() for leaf in leaves]
        parameters = encoder.named_parameters() if torch.is_grad_enabled() else ()
        self.weights = {name: weight for name, weight in parameters if weight.requires_grad}
        # The same memory, but leaves of their own: those of the encoder may still be bound, by a
        # pass before, to the stream that it ran on, which a capture must not touch.
        leaf_weights = {name: w.detach().requires_grad_() for name, w in self.weights.items()}
        # The cast weights of a cache would be those of the moment of capture.
        with torch.autocast(
            "cuda",
            dtype=torch.get_autocast_dtype("cuda"),
            enabled=torch.is_autocast_enabled("cuda"),
            cache_enabled=False,
        ):

            def forward() -> Tensor:
                inputs = tree_unflatten(self._inputs, spec)
                features: Tensor = functional_call(encoder, leaf_weights, (inputs,))
                return features

            torch.cuda.empty_cache()
            self._warm_up(forward, list(leaf_weights.values()))
            self._forward, self._backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
            # Another thread makes batches ready meanwhile: what it does is none of the graph's.
            options = {"pool": pool, "capture_error_mode": "thread_local"}
            with torch.cuda.graph(self._forward, **options):
                features = forward()
            self._features = features.detach()
            self._gradient = torch.ones_like(self._features)
            if self.weights:
                with torch.cuda.graph(self._backward, **options):
                    self._gradients = torch.autograd.grad(
                        features, list(leaf_weights.values()), self._gradient, allow_unused=True
                    )

    def __call__(self, leaves: Sequence[Tensor]) -> Tensor:
        """The features (B, D) of inputs of these shapes."""
        if not self.weights:
            return self.replay_forward(leaves)
        features: Tensor = _Replay.apply(  # type: ignore[no-untyped-call]
            self, len(leaves), *leaves, *self.weights.values()
        )
        return features

    def replay_forward(self, leaves: Sequence[Tensor]) -> Tensor:
        """The features (B, D), without a gradient."""
        for captured, values in zip(self._inputs, leaves, strict=True):
            captured.copy_(values)
        self._forward.replay()
        return self._features.clone()

    def replay_backward(self, gradient: Tensor) -> list[Tensor | None]:
        """The weights' gradients by that of the features (B, D) of the last pass."""
        self._gradient.copy_(gradient)
        self._backward.replay()
        # Copies, as gradients that are accumulated stay while another pass is replayed.
        return [None if each is None else each.clone() for each in self._gradients]

    def _warm_up(self, forward: Callable[[], Tensor], weights: Sequence[Tensor]) -> None:
        """One pass on a stream of its own, which sets up what a capture cannot."""
        stream, before = (
            torch.cuda.Stream(),  # type: ignore[no-untyped-call]
            torch.cuda.current_stream(),
        )
        stream.wait_stream(before)
        with torch.cuda.stream(stream):
            features = forward()
            if weights:
                torch.autograd.grad(features.sum(), weights, allow_unused=True)
        before.wait_stream(stream)


class _Replay(torch.autograd.Function):
    """A graph's two passes as one operation of autograd."""

    @staticmethod
    def forward(ctx: Any, graph: _Graph, count: int, *tensors: Tensor) -> Tensor:
        ctx.graph, ctx.count = graph, count
        return graph.replay_forward(tensors[:count])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *[None] * ctx.count, *ctx.graph.replay_backward(gradient))
