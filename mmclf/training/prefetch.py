"""Batches made ready while another is computed on, sent to the device without waiting for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

AHEAD = 2  # batches that are ready while another is computed on

T = TypeVar("T")


def prefetch(make: Callable[[int], T], numbers: Sequence[int]) -> Iterator[T]:
    """What `make` makes of each number, in their order, one after the other in a thread."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[T]] = deque()
        for number in numbers:
            waiting.append(pool.submit(make, number))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """The values on the device; a GPU is sent them without waiting for what it computes."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
