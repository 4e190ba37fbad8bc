"""The logits of a whole batch, of which each process has computed those of its own rows."""

from __future__ import annotations

import torch
from torch import Tensor

from mmclf.training.distributed.world import World


def whole_batch(logits: Tensor, count: int, world: World) -> Tensor:
    """The logits (B, L) of a batch of `count`, those of this process's rows with their gradient.

    Any loss of a batch can be computed of these, also one that is no mean over samples. The sum of
    all processes' gradients is then that of the loss, whereas DistributedDataParallel takes their
    mean: the loss is to be multiplied by their number.

    Args:
        logits: of the rows that `Share.rows` gives this process.
        count: of samples in the batch.
        world: of the processes.

    """
    counts = world.share.counts(count)
    parts = world.gather(logits, counts)
    if counts[world.rank] > 0:
        parts[world.rank] = logits
        return torch.cat(parts)
    # Without a row of its own in the batch, a process's gradient is zero, but there is one.
    return torch.cat(parts) + 0 * logits.sum()
