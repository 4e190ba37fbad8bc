"""Batches made ready while another is computed on, sent to the device without waiting for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

AHEAD = 2  # batches that are ready while another is computed on

T = TypeVar("T")


def prefetch(make: Callable[[int], T], numbers: Sequence[int]) -> Generator[T, None, None]:
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


def rows_to_device(
    array: NDArray[np.uint8], rows: NDArray[np.int64], device: torch.device
) -> Tensor:
    """Some rows of an array, as `to_device` moves them; a GPU's are copied once, to pinned memory.

    Rows must not be negative, nor beyond the array: what a GPU then gets is not defined.
    """
    if device.type != "cuda":
        return torch.from_numpy(array[rows]).to(device)
    shape = (len(rows), *array.shape[1:])
    pinned = torch.empty(shape, dtype=torch.uint8, pin_memory=True)
    # The default mode, which raises for rows that do not exist, would write to another buffer.
    np.take(array, rows, axis=0, out=pinned.numpy(), mode="clip")
    return pinned.to(device, non_blocking=True)
