from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from mmclf.training.prefetch import AHEAD, prefetch, rows_to_device, to_device

CPU = torch.device("cpu")


def test_batches_are_made_in_order_in_one_thread() -> None:
    threads: set[int] = set()

    def make(number: int) -> int:
        threads.add(threading.get_ident())
        return number * number

    assert list(prefetch(make, [3, 1, 2, 5, 4])) == [9, 1, 4, 25, 16]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_fails_is_raised_where_it_is_used() -> None:
    batches = prefetch(lambda number: 1 // number, [1, 0])
    assert next(batches) == 1
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_no_more_is_made_once_it_is_closed() -> None:
    made: list[int] = []
    batches = prefetch(made.append, range(100))
    next(batches)
    batches.close()
    assert made == list(range(AHEAD + 1))


def test_rows_are_moved_as_they_are() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    rows = np.array([3, 0, 3])
    assert torch.equal(rows_to_device(array, rows, CPU), torch.from_numpy(array[rows]))
    assert torch.equal(to_device(torch.arange(3), CPU), torch.arange(3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gets_the_same_rows() -> None:
    array = np.random.default_rng(0).integers(0, 256, (9, 5, 4, 3), dtype=np.uint8)
    rows = np.array([8, 0, 8, 3])
    moved = rows_to_device(array, rows, torch.device("cuda"))
    assert torch.equal(moved.cpu(), torch.from_numpy(array[rows]))
