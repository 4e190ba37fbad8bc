"""The learner: a model with what trains it, an epoch at a time, and what evaluates it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.training.batches import TrainingSet
from mmclf.training.draw import train_batches
from mmclf.training.evaluate import ADVICE, Loss, NonFiniteLossError, named, outputs_of
from mmclf.training.learner_state import (
    LearnerState,
    Position,
    Watch,
    beginning,
    random_states,
    set_random_states,
)
from mmclf.training.share import ALONE
from mmclf.training.step_graphs import StepGraphs, can_be_captured
from mmclf.training.strategy import Strategy

StrategyOf = Callable[[Accelerator, nn.Module, torch.optim.Optimizer], Strategy]
# To check a loss is to wait for a GPU, which then waits for its next work.
CHECK_EVERY = 100


@dataclass(frozen=True)
class _FailedBatch:
    """The batch at which a loss that is not finite was noticed, its own or one before; its step."""

    step: int
    inputs: Mapping[str, Any]
    labels: Tensor
    ids: Sequence[str]


class Learner:
    """A model and what trains it, on the accelerator's device and in its precision.

    `accumulate` batches of `batch_size` examples make one step, as if they were one batch; the
    gradient's norm is at most `clip_norm`. The scheduler goes on with every step. The losses of
    `check_every` batches are checked together, None for a number that suits the device. The
    strategy decides which rows of a batch this process computes.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        scheduler: LRScheduler | None,
        accelerator: Accelerator,
        *,
        strategy_of: StrategyOf = Strategy,
        batch_size: int,
        accumulate: int = 1,
        clip_norm: float | None = None,
        evaluation_size: int = 4096,
        check_every: int | None = None,
    ) -> None:
        self.strategy = strategy_of(accelerator, model, optimizer)
        self.model, self._optimizer = self.strategy.model, self.strategy.optimizer
        self._step_graphs: StepGraphs | None = None
        is_alone = self.strategy.share == ALONE and accumulate == 1
        if is_alone and can_be_captured(model, loss, optimizer, accelerator):
            self._step_graphs = StepGraphs(self._train_on, optimizer, accelerator.device)
        self._loss, self._scheduler, self._accelerator = loss, scheduler, accelerator
        self._batch_size, self._accumulate = batch_size, accumulate
        self._clip_norm, self._evaluation_size = clip_norm, evaluation_size
        # On the CPU a check costs nothing; in fp16 the GPU is waited for at every step anyway.
        is_queued = accelerator.device.type == "cuda" and accelerator.scaler is None
        default = CHECK_EVERY if is_queued and self.strategy.are_states_cheap else 1
        self._check_every = check_every if check_every is not None else default

    def epoch(
        self,
        examples: TrainingSet,
        generator: torch.Generator,
        number: int,
        start: Position | None = None,
        watch: Watch | None = None,
    ) -> Position:
        """Train on every example once, in an order that `generator` (on the CPU) draws.

        With `start`, from that position in the epoch on, whatever `generator` has drawn since.
        Returns the position at its end. Raises NonFiniteLossError, naming epoch `number`, at the
        first loss that is not finite.
        """
        start = start if start is not None else beginning(generator)
        before = copy.deepcopy(self.state(start)) if self._check_every > 1 else None
        done = self._train(examples, generator, start, self._check_every, watch)
        if isinstance(done, _FailedBatch) and before is not None:
            # It was noticed late: the same steps once more, with a check of each.
            self.load(before)
            self._optimizer.zero_grad()
            self._step_graphs = None  # which know the optimizer's state by its place in memory
            done = self._train(examples, generator, start, 1, None)
        if isinstance(done, _FailedBatch):
            self._raise_non_finite(done, number)
        assert isinstance(done, Position)
        return done

    def _train(
        self,
        examples: TrainingSet,
        generator: torch.Generator,
        start: Position,
        check_every: int,
        watch: Watch | None,
    ) -> Position | _FailedBatch:
        """Train on every example once, or until a loss that is not finite is noticed.

        Losses are checked after every `check_every` batches and after the last, before a step, and
        before somebody is told of a position.
        """
        self.model.train()
        generator.set_state(start.order)
        order = torch.randperm(len(examples), generator=generator)
        steps = [
            batches(rows, self._batch_size)
            for rows in batches(order, self._batch_size * self._accumulate)
        ]
        all_rows = [rows for step in steps for rows in step]
        skipped = sum(map(len, steps[: start.steps]))
        losses: list[Tensor] = []
        graphs = self._step_graphs if examples.are_features else None
        position = start
        share = self.strategy.share
        with closing(train_batches(examples, all_rows, generator, start, skipped, share)) as drawn:
            for step, parts in enumerate(steps[start.steps :], start=start.steps + 1):
                count = sum(map(len, parts))
                # Where losses are checked late, it must be known before the step.
                is_told = watch is not None and check_every > 1 and watch.is_wanted
                for rows in parts:
                    inputs, labels, draws = next(drawn)
                    with self.strategy.accumulating(is_last=rows is parts[-1]):
                        if graphs is not None:
                            loss = graphs(inputs, labels)  # a whole step
                        else:
                            loss = self._loss(self.strategy.logits(inputs, len(rows)), labels)
                        losses.append(loss.detach())
                        is_last = rows is all_rows[-1] or (is_told and rows is parts[-1])
                        if len(losses) == check_every or is_last:
                            if not torch.stack(losses).isfinite().all():
                                ids = [examples.ids[i] for i in rows.tolist()]
                                return _FailedBatch(step, inputs, labels, ids)
                            losses.clear()
                        if graphs is None:
                            # The mean over the step's examples, also where a batch is smaller.
                            self.strategy.backward(loss * (len(rows) / count))
                if graphs is None:
                    self._update()
                # In fp16 a step whose gradient overflows is left out.
                if self._scheduler is not None and not self._accelerator.optimizer_step_was_skipped:
                    self._scheduler.step()
                position = Position(step, start.order, draws)
                if watch is not None and (is_told or (check_every == 1 and watch.is_wanted)):
                    watch.reached(position)
        generator.set_state(position.draws)  # also if there was nothing left to do
        return position

    def _train_on(self, inputs: Mapping[str, Any], labels: Tensor) -> Tensor:
        """A whole step on one batch; its loss."""
        value = self._loss(self.model(inputs), labels)
        self._accelerator.backward(value)
        self._update()
        return value.detach()

    def _update(self) -> None:
        """Change the weights by their gradients."""
        if self._clip_norm is not None:
            self._accelerator.clip_grad_norm_(self.model.parameters(), self._clip_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def evaluate(
        self, examples: TrainingSet, after_batch: Callable[[], None] = lambda: None
    ) -> SplitOutputs:
        """Loss and logits of the clean inputs, without dropout; see `evaluate`."""
        logits = self.strategy.clean_logits(examples, self._evaluation_size, after_batch)
        return outputs_of(logits, self._loss, examples)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the model's weights."""
        return self.strategy.weights()

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Give the model these weights."""
        self.strategy.restore(weights)

    def state(self, position: Position) -> LearnerState:
        """The state at a position in an epoch; it goes on changing with the next step."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        parts = self.strategy.states() | parts
        return LearnerState(parts, position, random_states(self._accelerator.device))

    def load(self, state: LearnerState) -> None:
        """Go back to a state, or on to that of another learner."""
        self.strategy.load(state.parts)
        for name, part in self._parts().items():
            part.load_state_dict(state.parts[name])
        set_random_states(state.random, self._accelerator.device)

    def _parts(self) -> dict[str, Any]:
        """What steps change beside model and optimizer."""
        parts = {
            "scheduler": self._scheduler,
            "scaler": self._accelerator.scaler,
            "loss": self._loss if isinstance(self._loss, nn.Module) else None,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def _raise_non_finite(self, failed: _FailedBatch, epoch: int) -> None:
        inputs, labels, ids = failed.inputs, failed.labels, failed.ids
        logits = self.strategy.checked_logits(inputs, len(ids))
        with torch.inference_mode():
            alone = [self._loss(logits[i : i + 1], labels[i : i + 1]) for i in range(len(ids))]
        guilty = [
            sample_id for sample_id, value in zip(ids, alone, strict=True) if not value.isfinite()
        ]
        raise NonFiniteLossError(
            f"the loss is not finite at epoch {epoch}, step {failed.step}; samples: "
            f"{named(guilty or ids)}. {ADVICE}"
        )


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
