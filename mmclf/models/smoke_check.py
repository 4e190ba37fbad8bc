"""Smoke checks of a model's components, to find invalid settings before a run starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from mmclf.errors import InputError

# What a component raises for an input that it cannot take; AttributeError if it lacks something,
# as an encoder without `tokenize`.
INCOMPATIBLE = (AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError)


@torch.no_grad()
def check_encoder(
    modality: str, encoder: Any, encode: Callable[[Any], Tensor], sample: str
) -> None:
    """Raise InputError unless the encoder computes features (1, out_dim) of one sample.

    Args:
        modality: of the encoder.
        encoder: has `out_dim`.
        encode: computes the features of one sample by the encoder.
        sample: its description, for error messages.

    """
    was_training = encoder.training
    encoder.eval()
    try:
        features = encode(encoder)
        shape, width = tuple(features.shape), encoder.out_dim
    except INCOMPATIBLE as error:
        raise InputError(
            f"{modality}: the encoder cannot take {sample} ({_reason(error)}): "
            "change its settings, or choose another level"
        ) from error
    if shape != (1, width):
        raise InputError(
            f"{modality}: the encoder makes {shape} of one sample, expected "
            f"(1, {width}), as its out_dim says"
        )
    encoder.train(was_training)


def check_model(
    model: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    dims: Mapping[str, int],
    labels: Tensor,
) -> None:
    """Raise InputError unless model and loss take features (B, D_m) and `labels` (B, L).

    The loss must be a scalar that can be backpropagated to the model's weights.
    """
    was_training = model.training
    model.eval()
    features = {name: torch.zeros(len(labels), width) for name, width in dims.items()}
    try:
        logits = model(features)
        shape = tuple(logits.shape)
    except INCOMPATIBLE as error:
        raise InputError(
            f"fusion: it cannot take features of the widths {list(dims.values())} "
            f"({_reason(error)}): expected forward(parts) of a list of tensors (B, D_m)"
        ) from error
    if shape != tuple(labels.shape):
        raise InputError(
            f"fusion: the model makes {shape} of {len(labels)} samples, expected logits "
            f"{tuple(labels.shape)}"
        )
    if isinstance(loss, nn.Module) and any(True for _ in loss.parameters()):
        raise InputError(
            f"loss: {type(loss).__name__} has parameters, which are not trained: make them buffers"
        )
    try:
        value = loss(logits, labels)
        torch.autograd.backward(value)
    except INCOMPATIBLE as error:
        raise InputError(
            f"loss: it cannot take logits and labels {tuple(labels.shape)} ({_reason(error)}): "
            "expected forward(logits, labels), the mean over samples and labels"
        ) from error
    model.train(was_training)


def check_optimizer(optimizer: torch.optim.Optimizer, scheduler: LRScheduler) -> None:
    """Raise InputError unless the optimizer of a model with gradients can make a step.

    Changes the model, which should be a temporary one.
    """
    try:
        optimizer.step()
    except INCOMPATIBLE as error:
        raise InputError(
            f"optimizer: {type(optimizer).__name__} cannot make a step ({_reason(error)}): choose "
            "one whose step needs nothing but the gradients"
        ) from error
    try:
        scheduler.step()
    except (*INCOMPATIBLE, ArithmeticError) as error:
        raise InputError(
            f"scheduler: {type(scheduler).__name__} cannot make a step ({_reason(error)}): change "
            "its settings, or choose another level"
        ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
