from __future__ import annotations

import torch

from mmclf.models.pooling import last_pool, max_pool, mean_pool, pool

HIDDEN = torch.tensor(
    [[[1.0, 6.0], [3.0, 2.0], [50.0, 50.0]], [[-7.0, -8.0], [9.0, 9.0], [9.0, 9.0]]]
)
MASK = torch.tensor([[1, 1, 0], [1, 0, 0]])


def test_the_mean_counts_no_padding() -> None:
    assert mean_pool(HIDDEN, MASK).tolist() == [[2.0, 4.0], [-7.0, -8.0]]


def test_the_mean_of_nothing_is_zero() -> None:
    assert mean_pool(torch.ones(1, 2, 3), torch.zeros(1, 2)).tolist() == [[0.0, 0.0, 0.0]]


def test_the_maximum_counts_no_padding() -> None:
    assert max_pool(HIDDEN, MASK).tolist() == [[3.0, 6.0], [-7.0, -8.0]]


def test_the_last_token_is_the_last_in_the_mask_on_either_side() -> None:
    assert last_pool(HIDDEN, MASK).tolist() == [[3.0, 2.0], [-7.0, -8.0]]
    left = last_pool(HIDDEN, MASK.flip(1))
    assert left.tolist() == [[50.0, 50.0], [9.0, 9.0]]


def test_a_pooling_is_chosen_by_its_name() -> None:
    assert pool(HIDDEN, MASK, "cls").tolist() == [[1.0, 6.0], [-7.0, -8.0]]
    assert torch.equal(pool(HIDDEN, MASK, "mean"), mean_pool(HIDDEN, MASK))
    assert torch.equal(pool(HIDDEN, MASK, "max"), max_pool(HIDDEN, MASK))
    assert torch.equal(pool(HIDDEN, MASK, "last"), last_pool(HIDDEN, MASK))
