"""The clean outputs of a model: logits and loss without dropout and augmentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.training.batches import TrainingSet
from mmclf.training.draw import eval_batches

Loss = Callable[[Tensor, Tensor], Tensor]
NAMED = 5
ADVICE = "If they are sound, lower optimizer.lr or the loss's weights"


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite."""


def evaluate(
    model: nn.Module,
    loss: Loss,
    examples: TrainingSet,
    batch_size: int = 4096,
    after_batch: Callable[[], None] = lambda: None,
) -> SplitOutputs:
    """Loss and logits of the clean inputs, without dropout, over all examples at once.

    `after_batch` is called after each batch of inputs. Raises NonFiniteLossError if a logit or the
    loss is not finite.
    """
    return outputs_of(clean_logits(model, examples, batch_size, after_batch), loss, examples)


@torch.no_grad()
def clean_logits(
    model: nn.Module,
    examples: TrainingSet,
    batch_size: int,
    after_batch: Callable[[], None] = lambda: None,
) -> Tensor:
    """The logits (N, L) of the clean inputs, without dropout."""
    model.eval()
    parts = []
    for inputs in eval_batches(examples, batch_size):
        parts.append(model(inputs))
        after_batch()
    return torch.cat(parts)


@torch.no_grad()
def outputs_of(logits: Tensor, loss: Loss, examples: TrainingSet) -> SplitOutputs:
    """The outputs of the logits (N, L) of all examples.

    Raises NonFiniteLossError if a logit or the loss is not finite.
    """
    value = loss(logits, examples.labels)
    finite = logits.isfinite().all(dim=1)
    if not (torch.isfinite(value) and finite.all()):
        guilty = [examples.ids[i] for i in (~finite).nonzero().flatten().tolist()]
        raise NonFiniteLossError(
            f"the loss is not finite in an evaluation; samples: {named(guilty or examples.ids)}. "
            f"{ADVICE}"
        )
    return SplitOutputs(value.item(), logits.float().cpu().numpy())


def named(ids: Sequence[str]) -> str:
    """The first few ids, and how many more there are."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
