"""The baselines of encoding on a GPU: plain timm and transformers, as one would write by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
from gpu_data import Pictures
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn


def timm_model(name: str, device: torch.device) -> nn.Module:
    """A model of timm without its classifier, with random weights, in NCHW."""
    model: nn.Module = timm.create_model(name, num_classes=0)
    return model.eval().to(device)


@torch.inference_mode()
def image_features(
    model: nn.Module, pictures: Pictures, batch_size: int, device: torch.device, *, bf16: bool
) -> Tensor:
    """The features (N, D) of pictures (N, H, W, 3), batch by batch, standardised on the device."""
    mean, std = (
        torch.tensor(values, device=device).view(1, 3, 1, 1)
        for values in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    )
    features = []
    for start in range(0, len(pictures), batch_size):
        # A copy, as a loader collates one; the array on disk cannot be written to.
        batch = torch.from_numpy(pictures[start : start + batch_size].copy()).to(device)
        images = batch.permute(0, 3, 1, 2).contiguous().float() / 255
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            features.append(model((images - mean) / std))
    return torch.cat(features).float().cpu()


@torch.inference_mode()
def caption_features(
    model: Any,
    tokenizer: Any,
    captions: Sequence[str],
    batch_size: int,
    device: torch.device,
    *,
    bf16: bool,
) -> Tensor:
    """The first tokens' features (N, D) of a transformers model, batch by batch."""
    features = []
    for start in range(0, len(captions), batch_size):
        batch = list(captions[start : start + batch_size])
        tokens = tokenizer(batch, padding=True, truncation=True, max_length=64, return_tensors="pt")
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            features.append(model(**tokens.to(device)).last_hidden_state[:, 0])
    return torch.cat(features).float().cpu()
