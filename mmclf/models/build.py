"""Builds the classifier, its optimizer and its scheduler from their config nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from mmclf.config.schema import Head, Node
from mmclf.config.targets import build, parameters, resolve
from mmclf.errors import InputError
from mmclf.models.classifier import Classifier
from mmclf.models.heads import make_head


def make_model(
    fusion_node: Node,
    head: Head,
    dims: Mapping[str, int],
    trainable: Mapping[str, nn.Module],
    labels: int,
    allow: Sequence[str],
) -> Classifier:
    """Build a classifier.

    Args:
        fusion_node: config node of the fusion.
        head: settings of the head.
        dims: the widths of each modality's features.
        trainable: the encoders that are trained; the others are frozen, and their features are
            computed beforehand.
        labels: the number L of labels.
        allow: modules that targets may come from besides the built-in ones.

    """
    head_of_width = partial(
        make_head,
        labels=labels,
        hidden=head.hidden,
        dropout=head.dropout,
        input_dropout=head.input_dropout,
    )
    fusion = build(fusion_node, "fusion", allow, dims=list(dims.values()), make_head=head_of_width)
    if not hasattr(fusion, "out_dim"):
        raise InputError(
            f"fusion: {type(fusion).__name__} has no out_dim, expected the width D of the features "
            "(B, D) that it makes, or None where it makes the logits (B, L) itself"
        )
    encoders = {modality: trainable.get(modality, nn.Identity()) for modality in dims}
    head_module = head_of_width(fusion.out_dim) if fusion.out_dim is not None else nn.Identity()
    return Classifier(encoders, fusion, head_module)


def make_optimizer(
    optimizer_node: Node,
    scheduler_node: Node,
    model: Classifier,
    encoder_rates: Mapping[str, float],
    *,
    steps: int,
    allow: Sequence[str],
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """Build the optimizer of a model and its learning rate scheduler.

    Args:
        optimizer_node: config node of the optimizer.
        scheduler_node: config node of the scheduler.
        model: whose fusion, head and trained encoders are optimized.
        encoder_rates: learning rates of the trained encoders; the rest has the optimizer's.
        steps: of the optimizer in the whole training.
        allow: modules that targets may come from besides the built-in ones.

    """
    groups: list[dict[str, Any]] = [
        {"params": [*model.fusion.parameters(), *model.head.parameters()]}
    ]
    groups += [
        {"params": [p for p in model.encoders[name].parameters() if p.requires_grad], "lr": rate}
        for name, rate in encoder_rates.items()
    ]
    node = _prefer_fused(optimizer_node, allow)
    optimizer: torch.optim.Optimizer = build(node, "optimizer", allow, params=groups)
    scheduler: LRScheduler = build(
        scheduler_node,
        "scheduler",
        allow,
        optimizer=optimizer,
        total_steps=steps,
        T_max=steps,
        max_lr=[group["lr"] for group in optimizer.param_groups],
    )
    return optimizer, scheduler


def _prefer_fused(node: Node, allow: Sequence[str]) -> Node:
    """The node with the fused implementation, if torch has one and the node chooses none."""
    accepted = parameters(resolve(node["_target_"], "optimizer", allow))
    explicit = {"fused", "foreach", "differentiable", "capturable"} & node.keys()
    return node | {"fused": True} if "fused" in accepted and not explicit else node
