"""The batches of an epoch and of an evaluation, raw inputs drawn ahead of time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from mmclf.training.batches import TrainingSet
from mmclf.training.learner_state import Position
from mmclf.training.prefetch import prefetch
from mmclf.training.share import ALONE, Share


def train_batches(
    examples: TrainingSet,
    rows: Sequence[Tensor],
    generator: torch.Generator,
    start: Position,
    skipped: int,
    share: Share = ALONE,
) -> Generator[tuple[dict[str, Any], Tensor, Tensor], None, None]:
    """Inputs and labels of each batch of rows but the first `skipped`, with what drew them.

    That is the generator's state afterwards. Raw inputs are drawn ahead of time, in the same order.
    The inputs are of the rows of this process's share, the labels of all.
    """
    if examples.are_features:
        drawn = examples.train_feature_batches(rows, generator, share)
        for inputs, labels in islice(drawn, skipped, None):
            yield inputs, labels, generator.get_state()
        return
    if skipped > 0:
        generator.set_state(start.draws)

    def draw(number: int) -> tuple[dict[str, Any], Tensor, Tensor]:
        return *examples.train_batch(rows[number], generator, share), generator.get_state()

    with closing(prefetch(draw, range(skipped, len(rows)))) as batches_drawn:
        yield from batches_drawn


def eval_batches(
    examples: TrainingSet, batch_size: int, share: Share = ALONE
) -> Iterator[dict[str, Any]]:
    """The clean inputs of all examples, batch by batch; raw ones ahead of time.

    Of several processes each has its share of the batches.
    """

    def inputs_from(start: int) -> dict[str, Any]:
        return examples.eval_batch(slice(start, start + batch_size))[0]

    starts = range(0, len(examples), batch_size)
    starts = starts[share.of(len(starts))]
    return map(inputs_from, starts) if examples.are_features else prefetch(inputs_from, starts)
