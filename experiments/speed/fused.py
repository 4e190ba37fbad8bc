"""The figure of fused heads: many heads that differ in numbers alone, trained as one model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch
from by_hand import HIDDEN, Batches
from data_sets import DataSet
from fit_case import FitCase, fit_case
from measuring import alternate, in_seconds, ratios, timed
from results import Row, row
from torch import Tensor, nn
from workspace import ENCODERS, Workspace

FIGURES = ("fused_heads",)
HEADS, EPOCHS = 8, 3
RATES = tuple(1e-3 * (1 + head / HEADS) for head in range(HEADS))
TOLERANCE = 1e-4

Weights = list[Tensor]  # of the hidden layer (D, H), its bias, of the last one (H, L), its bias


def measure(work: Workspace, data: DataSet, _wanted: Collection[str]) -> Iterator[Row]:
    """The figure on one data set."""
    folder = work.run_of(data)
    case = fit_case([*data.overrides, *ENCODERS, f"output_dir={folder}"])
    x, y = _examples(case)
    drawn = case.drawn[:EPOCHS]
    starts = [_start(seed, x.shape[1], y.shape[1]) for seed in range(HEADS)]
    alone = [_alone(start, rate, x, y, drawn) for start, rate in zip(starts, RATES, strict=True)]
    fused = _fused(starts, x, y, drawn)
    difference = max(
        (one - every[head]).abs().max().item()
        for head, weights in enumerate(alone)
        for one, every in zip(weights, fused, strict=True)
    )
    if difference > TOLERANCE:
        raise RuntimeError(f"fused heads differ by {difference:.1e}: another mathematics")
    sides = {
        "one by one": lambda: timed(
            lambda: [_alone(s, r, x, y, drawn) for s, r in zip(starts, RATES, strict=True)]
        ),
        "fused": lambda: timed(lambda: _fused(starts, x, y, drawn)),
    }
    seconds = alternate(f"fused heads, {data.name}", sides, work.sizes.pairs)
    yield row(
        "fused_heads",
        data.name,
        ratios(seconds["one by one"], seconds["fused"]),
        ours=in_seconds(seconds["fused"]),
        theirs=in_seconds(seconds["one by one"]),
        note=f"{HEADS} heads, {EPOCHS} epochs on {len(x)} samples; their weights differ by "
        f"{difference:.1e} at most.",
    )


def _examples(case: FitCase) -> tuple[Tensor, Tensor]:
    """The features (N, D) and labels (N, L) that train."""
    rows = torch.from_numpy(case.data.parts.train)
    x = torch.cat([views[0] for views in case.fit_data.features.values()], dim=1)[rows]
    return x, torch.from_numpy(case.data.samples.labels).float()[rows]


def _start(seed: int, width: int, labels: int) -> Weights:
    torch.manual_seed(seed)
    first, last = nn.Linear(width, HIDDEN), nn.Linear(HIDDEN, labels)
    pairs = [(layer.weight.detach().T.contiguous(), layer.bias.detach()) for layer in (first, last)]
    return [tensor for pair in pairs for tensor in pair]


def _alone(start: Weights, rate: float, x: Tensor, y: Tensor, drawn: Sequence[Batches]) -> Weights:
    """The weights of one head after training it by itself."""
    first, bias, last, last_bias = weights = [w.clone().requires_grad_() for w in start]
    optimizer = torch.optim.Adam(weights, lr=rate, fused=True)
    loss = nn.BCEWithLogitsLoss()
    for rows in (rows for epoch in drawn for rows in epoch):
        optimizer.zero_grad()
        logits = torch.addmm(bias, x[rows], first).relu() @ last + last_bias
        loss(logits, y[rows]).backward()
        optimizer.step()
    return [w.detach() for w in weights]


def _fused(starts: Sequence[Weights], x: Tensor, y: Tensor, drawn: Sequence[Batches]) -> Weights:
    """The weights (K, ...) of K heads that are trained as one: the case that suits fusing best.

    All heads see the same batches, so that their hidden layers are one product of (B, D) with
    (D, K H), and each has its own learning rate.
    """
    count, width = len(starts), x.shape[1]
    first = torch.cat([start[0] for start in starts], dim=1).requires_grad_()
    bias = torch.cat([start[1] for start in starts]).requires_grad_()
    last, last_bias = (torch.stack([start[i] for start in starts]) for i in (2, 3))
    weights = [first, bias, last.requires_grad_(), last_bias.requires_grad_()]
    # torch's Adam has one learning rate for a tensor, and here each head has its own.
    states = [(torch.zeros_like(w), torch.zeros_like(w)) for w in weights]
    rates = torch.tensor(RATES)
    of_first = rates.repeat_interleave(HIDDEN)
    scales = [of_first, of_first, rates[:, None, None], rates[:, None]]
    for step, rows in enumerate((rows for epoch in drawn for rows in epoch), start=1):
        hidden = torch.addmm(bias, x[rows], first).relu().view(len(rows), count, HIDDEN)
        logits = torch.baddbmm(last_bias[:, None], hidden.transpose(0, 1), last)
        targets = y[rows].expand(count, -1, -1)
        # The sum of the heads' means: each has the gradient that it would have alone.
        loss = nn.functional.binary_cross_entropy_with_logits(logits, targets) * count
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for w, g, (mean, square), rate in zip(weights, gradients, states, scales, strict=True):
                mean.lerp_(g, 0.1)
                square.mul_(0.999).addcmul_(g, g, value=0.001)
                root = (square / (1 - 0.999**step)).sqrt_().add_(1e-8)
                w.sub_(rate * mean / (1 - 0.9**step) / root)
    hidden_layers = first.detach().view(width, count, HIDDEN).transpose(0, 1)
    return [hidden_layers, bias.detach().view(count, HIDDEN), last.detach(), last_bias.detach()]
