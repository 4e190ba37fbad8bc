"""Fit: the one training loop of every run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
NAMED = 5
ADVICE = "If they are sound, lower optimizer.lr or the loss's weights"


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite."""


@dataclass(frozen=True)
class Examples:
    """N examples as one tensor (N, V, D) a modality, view 0 the clean one, and labels (N, L)."""

    ids: Sequence[str]
    inputs: Mapping[str, Tensor]
    labels: Tensor

    def __len__(self) -> int:
        """N."""
        return len(self.ids)

    def clean(self, rows: slice) -> tuple[dict[str, Tensor], Tensor]:
        """View 0 of some rows, and their labels."""
        return {name: x[rows, 0] for name, x in self.inputs.items()}, self.labels[rows]

    def drawn(self, rows: Tensor, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
        """A view drawn for each of some rows, every view as likely, and their labels."""
        inputs = {}
        for name, x in self.inputs.items():
            views = torch.randint(x.shape[1], (len(rows),), generator=generator)
            inputs[name] = x[rows, views.to(rows.device)]
        return inputs, self.labels[rows]

    def to(self, device: torch.device) -> Examples:
        """The same examples on a device."""
        inputs = {name: x.to(device) for name, x in self.inputs.items()}
        return Examples(self.ids, inputs, self.labels.to(device))


@dataclass(frozen=True)
class Evaluation:
    """The loss over all N examples, and the logits (N, L) on the CPU."""

    loss: float
    logits: Tensor


@dataclass(frozen=True)
class Epoch:
    """What epoch `number`, from 1, came to; `score` is higher where the epoch is better."""

    number: int
    train: Evaluation
    val: Evaluation
    score: float


def fit(
    model: nn.Module,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    train: Examples,
    val: Examples,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    score: Callable[[Evaluation], float],
    accelerator: Accelerator,
    on_epoch: Callable[[Epoch], None],
) -> Epoch:
    """Train `model` in place and leave it with the weights of its best epoch, which is returned.

    `score` judges an epoch by its validation, the first of equals wins; `seed` decides the order
    of the samples and the views drawn. Raises NonFiniteLossError at the first step whose loss is
    not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    model, optimizer = accelerator.prepare(model, optimizer)
    best: tuple[Epoch, dict[str, Tensor]] | None = None
    for number in range(1, epochs + 1):
        model.train()
        order = torch.randperm(len(train), generator=generator).to(accelerator.device)
        for step, rows in enumerate(torch.split(order, batch_size), start=1):
            inputs, labels = train.drawn(rows, generator)
            value = loss(model(inputs), labels)
            if not torch.isfinite(value):
                _raise_non_finite(model, loss, inputs, labels, rows, train.ids, number, step)
            optimizer.zero_grad()
            accelerator.backward(value)
            optimizer.step()
        validated = evaluate(model, loss, val)
        epoch = Epoch(number, evaluate(model, loss, train), validated, score(validated))
        if best is None or epoch.score > best[0].score:
            best = epoch, copy.deepcopy(accelerator.unwrap_model(model).state_dict())
        on_epoch(epoch)
    assert best is not None
    accelerator.unwrap_model(model).load_state_dict(best[1])
    return best[0]


@torch.inference_mode()
def evaluate(
    model: nn.Module, loss: Loss, examples: Examples, batch_size: int = 4096
) -> Evaluation:
    """Loss and logits of the clean views, without dropout, over all examples at once.

    Raises NonFiniteLossError if a logit or the loss is not finite.
    """
    model.eval()
    logits = torch.cat(
        [
            model(examples.clean(slice(start, start + batch_size))[0])
            for start in range(0, len(examples), batch_size)
        ]
    )
    value = loss(logits, examples.labels)
    finite = logits.isfinite().all(dim=1)
    if not (torch.isfinite(value) and finite.all()):
        guilty = [examples.ids[i] for i in (~finite).nonzero().flatten().tolist()]
        raise NonFiniteLossError(
            f"the loss is not finite in an evaluation; samples: {_named(guilty or examples.ids)}. "
            f"{ADVICE}"
        )
    return Evaluation(value.item(), logits.float().cpu())


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more


def _raise_non_finite(
    model: nn.Module,
    loss: Loss,
    inputs: Mapping[str, Tensor],
    labels: Tensor,
    rows: Tensor,
    ids: Sequence[str],
    epoch: int,
    step: int,
) -> None:
    model.eval()
    with torch.inference_mode():
        logits = model(inputs)
        alone = torch.stack([loss(logits[i : i + 1], labels[i : i + 1]) for i in range(len(rows))])
    guilty = rows[~alone.isfinite()].tolist()
    named = _named([ids[i] for i in (guilty if guilty else rows.tolist())])
    raise NonFiniteLossError(
        f"the loss is not finite at epoch {epoch}, step {step}; samples: {named}. {ADVICE}"
    )
