"""The classifier, its optimizer and its scheduler, put together from their config nodes."""

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
    """The classifier of L = `labels`; features as wide as `dims` come of each modality's encoder.

    Encoders that are not in `trainable` are frozen: their features are computed beforehand.
    """
    new_head = partial(
        make_head,
        labels=labels,
        hidden=head.hidden,
        dropout=head.dropout,
        input_dropout=head.input_dropout,
    )
    fusion = build(fusion_node, "fusion", allow, dims=list(dims.values()), make_head=new_head)
    if not hasattr(fusion, "out_dim"):
        raise InputError(
            f"fusion: {type(fusion).__name__} has no out_dim, expected the width D of the features "
            "(B, D) that it makes, or None where it makes the logits (B, L) itself"
        )
    encoders = {modality: trainable.get(modality, nn.Identity()) for modality in dims}
    top = new_head(fusion.out_dim) if fusion.out_dim is not None else nn.Identity()
    return Classifier(encoders, fusion, top)


def make_optimizer(
    optimizer_node: Node,
    scheduler_node: Node,
    model: Classifier,
    encoder_rates: Mapping[str, float],
    *,
    steps: int,
    allow: Sequence[str],
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """The optimizer of a model, and the scheduler that `steps` steps of it follow.

    The encoders that are trained have learning rates of their own, the rest has the optimizer's.
    """
    groups: list[dict[str, Any]] = [
        {"params": [*model.fusion.parameters(), *model.head.parameters()]}
    ]
    groups += [
        {"params": [p for p in model.encoders[name].parameters() if p.requires_grad], "lr": rate}
        for name, rate in encoder_rates.items()
    ]
    node = _fused(optimizer_node, allow)
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


def _fused(node: Node, allow: Sequence[str]) -> Node:
    """The node of an optimizer, asking for its fused form where torch has one and nobody chose."""
    taken = parameters(resolve(node["_target_"], "optimizer", allow))
    chosen = {"fused", "foreach", "differentiable", "capturable"} & node.keys()
    return node | {"fused": True} if "fused" in taken and not chosen else node
