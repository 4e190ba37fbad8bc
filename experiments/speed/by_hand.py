"""The baseline of fitting: the same mathematics and evaluations as a plain loop of torch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.training.learner import batches

HIDDEN = 512
Batches = Sequence[Tensor]  # the rows of each, of one epoch
Score = Callable[[SplitOutputs, SplitOutputs], float]  # of train and val, higher for a better epoch


def batches_of_epochs(
    count: int, *, epochs: int, batch_size: int, modalities: int, seed: int
) -> list[Batches]:
    """The rows that mmclf's trainer draws of `count` examples with one view a modality."""
    generator = torch.Generator().manual_seed(seed)
    drawn: list[Batches] = []
    for _ in range(epochs):
        drawn.append(batches(torch.randperm(count, generator=generator), batch_size))
        for rows in drawn[-1]:
            for _ in range(modalities):
                torch.randint(1, (len(rows),), generator=generator)  # which view
    return drawn


def fit_by_hand(
    features: Sequence[Tensor],
    labels: Tensor,
    parts: Sequence[Tensor],
    drawn: Sequence[Batches],
    loss: nn.Module,
    *,
    dropout: float,
    seed: int,
    score_of: Score,
) -> Tensor:
    """The logits of the test part by the weights of the best epoch.

    `features` (N, D_m) of each modality; `parts`: the rows that train, validate and test.
    """
    torch.manual_seed(seed)
    values = torch.cat(list(features), dim=1)
    (x, y), (x_val, y_val), (x_test, _) = ((values[rows], labels[rows]) for rows in parts)
    model = nn.Sequential(
        nn.Linear(x.shape[1], HIDDEN),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN, y.shape[1]),
    )
    optimizer = torch.optim.Adam(model.parameters())
    best_score, best = -math.inf, model.state_dict()
    for epoch in drawn:
        model.train()
        for rows in epoch:
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
        score = score_of(_evaluated(model, loss, x, y), _evaluated(model, loss, x_val, y_val))
        if score > best_score:
            best_score, best = score, copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    model.eval()
    with torch.no_grad():
        logits: Tensor = model(x_test)
    return logits


@torch.no_grad()
def _evaluated(model: nn.Module, loss: nn.Module, x: Tensor, y: Tensor) -> SplitOutputs:
    model.eval()
    logits = model(x)
    return SplitOutputs(loss(logits, y).item(), logits.numpy())
