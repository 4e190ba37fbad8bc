"""Fit: the one training loop of every run."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.progress import progress_bar
from mmclf.training.batches import TrainingSet
from mmclf.training.prefetch import prefetch

Loss = Callable[[Tensor, Tensor], Tensor]
NAMED = 5
ADVICE = "If they are sound, lower optimizer.lr or the loss's weights"


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite."""


@dataclass(frozen=True)
class Epoch:
    """The outputs after epoch `number`, from 1; `score` is higher where the epoch is better."""

    number: int
    train: SplitOutputs
    val: SplitOutputs
    score: float


class Learner:
    """A model and what trains it, on the accelerator's device and in its precision.

    `accumulate` batches of `batch_size` examples make one step, as if they were one batch; the
    gradient's norm is at most `clip_norm`. The scheduler goes on with every step.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        scheduler: LRScheduler | None,
        accelerator: Accelerator,
        *,
        batch_size: int,
        accumulate: int = 1,
        clip_norm: float | None = None,
        evaluation_size: int = 4096,
    ) -> None:
        self.model, self._optimizer = accelerator.prepare(model, optimizer)
        self._loss, self._scheduler, self._accelerator = loss, scheduler, accelerator
        self._batch_size, self._accumulate = batch_size, accumulate
        self._clip_norm, self._evaluation_size = clip_norm, evaluation_size

    def epoch(self, examples: TrainingSet, generator: torch.Generator, number: int) -> None:
        """Train on every example once, in an order that `generator` (on the CPU) draws.

        Raises NonFiniteLossError, naming epoch `number`, at the first loss that is not finite.
        """
        self.model.train()
        order = torch.randperm(len(examples), generator=generator)
        steps = [
            batches(rows, self._batch_size)
            for rows in batches(order, self._batch_size * self._accumulate)
        ]
        drawn = _drawn(examples, [batch for step in steps for batch in step], generator)
        for step, parts in enumerate(steps, start=1):
            count = sum(map(len, parts))
            for batch in parts:
                inputs, labels = next(drawn)
                value = self._loss(self.model(inputs), labels)
                if not torch.isfinite(value):
                    names = [examples.ids[i] for i in batch.tolist()]
                    self._raise_non_finite(inputs, labels, names, number, step)
                # The mean over the step's examples, also where its last batch is smaller.
                self._accelerator.backward(value * (len(batch) / count))
            self._step()

    def _step(self) -> None:
        if self._clip_norm is not None:
            self._accelerator.clip_grad_norm_(self.model.parameters(), self._clip_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        # In fp16 a step whose gradient overflows is left out.
        if self._scheduler is not None and not self._accelerator.optimizer_step_was_skipped:
            self._scheduler.step()

    def evaluate(self, examples: TrainingSet) -> SplitOutputs:
        """Loss and logits of the clean inputs, without dropout; see `evaluate`."""
        return evaluate(self.model, self._loss, examples, self._evaluation_size)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the model's weights."""
        return copy.deepcopy(self._accelerator.unwrap_model(self.model).state_dict())

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Give the model these weights."""
        self._accelerator.unwrap_model(self.model).load_state_dict(weights)

    def _raise_non_finite(
        self,
        inputs: Mapping[str, Any],
        labels: Tensor,
        ids: Sequence[str],
        epoch: int,
        step: int,
    ) -> None:
        self.model.eval()
        with torch.inference_mode():
            logits = self.model(inputs)
            alone = [self._loss(logits[i : i + 1], labels[i : i + 1]) for i in range(len(ids))]
        guilty = [one for one, value in zip(ids, alone, strict=True) if not value.isfinite()]
        raise NonFiniteLossError(
            f"the loss is not finite at epoch {epoch}, step {step}; samples: "
            f"{_named(guilty or ids)}. {ADVICE}"
        )


def fit(
    learner: Learner,
    train: TrainingSet,
    val: TrainingSet,
    *,
    epochs: int,
    patience: int | None,
    seed: int,
    score: Callable[[SplitOutputs], float],
    on_epoch: Callable[[Epoch], None],
) -> tuple[list[Epoch], Epoch]:
    """Train the learner's model and leave it with the weights of its best epoch.

    `score` rates an epoch by its validation, the first of equals wins; after `patience` epochs
    without a better one it ends. `seed` decides the order of the samples and the views drawn.
    `on_epoch` is called with every epoch. Raises NonFiniteLossError at the first step whose loss is
    not finite.

    Returns:
        All epochs, and the best of them.

    """
    generator = torch.Generator().manual_seed(seed)
    done: list[Epoch] = []
    best: tuple[Epoch, dict[str, Tensor]] | None = None
    with progress_bar("training, epochs", epochs) as advance:
        for number in range(1, epochs + 1):
            learner.epoch(train, generator, number)
            validated = learner.evaluate(val)
            epoch = Epoch(number, learner.evaluate(train), validated, score(validated))
            done.append(epoch)
            if best is None or epoch.score > best[0].score:
                best = epoch, learner.weights()
            on_epoch(epoch)
            advance(1)
            if patience is not None and number - best[0].number >= patience:
                break
    assert best is not None
    learner.restore(best[1])
    return done, best[0]


def refit(learner: Learner, examples: TrainingSet, *, epochs: int, seed: int) -> None:
    """Train the learner's model for a number of epochs that is known, without validation.

    `seed` as in `fit`. Raises NonFiniteLossError at the first step whose loss is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    with progress_bar("training on train and val, epochs", epochs) as advance:
        for number in range(1, epochs + 1):
            learner.epoch(examples, generator, number)
            advance(1)


def _drawn(
    examples: TrainingSet, rows: Sequence[Tensor], generator: torch.Generator
) -> Iterator[tuple[dict[str, Any], Tensor]]:
    """Inputs and labels of each batch of rows; raw ones ahead of time, in the same order."""
    if examples.are_features:
        return (examples.train_batch(batch, generator) for batch in rows)
    return prefetch(lambda i: examples.train_batch(rows[i], generator), range(len(rows)))


def batches(rows: Tensor, size: int) -> tuple[Tensor, ...]:
    """`rows` in batches of `size`; a last one of a single row joins the batch before.

    Batch normalisation cannot be trained on one example.
    """
    count = steps_of(len(rows), size)
    *full, last = torch.split(rows, size)
    return (*full, last) if len(full) < count else (*full[:-1], torch.cat([full[-1], last]))


def steps_of(count: int, size: int) -> int:
    """How many `batches` of `size` there are of `count` examples."""
    left_alone = count % size == 1 and 1 < size < count
    return math.ceil(count / size) - left_alone


@torch.no_grad()
def evaluate(
    model: nn.Module, loss: Loss, examples: TrainingSet, batch_size: int = 4096
) -> SplitOutputs:
    """Loss and logits of the clean inputs, without dropout, over all examples at once.

    Raises NonFiniteLossError if a logit or the loss is not finite.
    """
    model.eval()
    logits = torch.cat(
        [
            model(examples.eval_batch(slice(start, start + batch_size))[0])
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
    return SplitOutputs(value.item(), logits.float().cpu().numpy())


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
