"""What a process pays at first use, paid before the clock of a stage starts.

The first step of a process imports what optimizers, accelerate and scores load late, starts threads
and loads kernels: seconds, which the first seed of a study alone would show, and runs that read its
results from the store after it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from mmclf.evaluation.metrics import mean_average_precision
from mmclf.training.device import accelerator_on
from mmclf.training.precision import Precision, autocast


def warm_up_training(device: torch.device, precision: str) -> None:
    """Train a model of a few weights for a step and score it; random numbers stay as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), accelerator_on(device, precision) as accelerator:
        model = nn.Linear(2, 2).to(device)
        optimizer = torch.optim.AdamW(model.parameters())
        with accelerator.autocast():
            logits = model(torch.ones(2, 2, device=device))
        loss = nn.functional.binary_cross_entropy_with_logits(
            logits.float(), torch.ones_like(logits, dtype=torch.float32)
        )
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    labels = np.eye(2, dtype=np.uint8)
    mean_average_precision(labels, labels.astype(np.float64))


@torch.inference_mode()
def warm_up_encoder(
    features_of_one: Callable[[], Tensor], precision: Precision, device: torch.device
) -> None:
    """Encode one sample, as an encoder's `probe` does."""
    with autocast(precision, device):
        features_of_one()
