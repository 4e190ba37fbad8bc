from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmclf.data.grouped import Grouped
from mmclf.data.rebalance import Division

Mask = NDArray[np.bool_]


def division(
    labels: ArrayLike, held: list[int], wanted: float, groups: ArrayLike | None = None
) -> Division:
    """A division of samples, or of groups; `held` are numbers of groups."""
    numbers = None if groups is None else np.asarray(groups)
    grouped = Grouped.of(np.asarray(labels, dtype=np.uint8), numbers)
    mask = np.zeros(len(grouped), dtype=np.bool_)
    mask[held] = True
    return Division(grouped, mask, wanted, 0)


def test_a_size_within_its_bounds_changes_nothing() -> None:
    for most, size in ((5, 5), (4.9, 2)):
        divided = division(np.ones((20, 1)), [0, 1, 2, 3, 4], 2)
        divided.resize((2, most))
        assert divided.held.sum() == size


def test_the_size_is_met_from_either_side() -> None:
    labels = (np.random.default_rng(0).random((500, 4)) < 0.5).astype(int)
    for held in (range(200), range(3)):
        divided = division(labels, list(held), 50)
        divided.resize((45, 55))
        assert divided.held.sum() == 50
        # The shares of labels are closer than a draw's, whose standard deviation is 0.07.
        assert np.abs(labels[divided.held].mean(axis=0) - labels.mean(axis=0)).max() < 0.02


def test_what_is_moved_worsens_the_shares_least() -> None:
    # Of 10 samples with either label, 4 and 1 are held out, where 2 of each would be fair.
    labels = [[1, 0]] * 10 + [[0, 1]] * 10
    divided = division(labels, [0, 1, 2, 3, 10], 4)
    divided.resize((4, 4))
    assert divided.held[:10].sum() == 3
    assert divided.held[10:].sum() == 1


def test_the_last_positives_stay_in_training() -> None:
    # Four labels of one sample each, all in training, and one that all others have.
    labels = np.zeros((10, 5))
    labels[:4, :4] = np.eye(4)
    labels[4:, 4] = 1
    divided = division(labels, [], 5)
    divided.resize((5, 5))
    assert np.flatnonzero(divided.held).min() >= 4
    assert divided.held.sum() == 5


def test_sizes_win_where_both_cannot_be() -> None:
    divided = division(np.eye(6), [], 2)
    divided.resize((2, 2))
    assert divided.held.sum() == 2
    within = division(np.eye(6), [0], 2)
    within.resize((1, 3))
    assert within.held.sum() == 1


def test_labels_that_training_lacks_are_brought_back() -> None:
    labels = np.zeros((6, 2))
    labels[:3, 0] = 1
    labels[2:4, 1] = 1
    divided = division(labels, [0, 1, 2, 3, 4], 5)
    divided.keep_labels()
    # The third has both labels.
    kept = labels[~divided.held]
    assert kept.any(axis=0).all()
    assert divided.held.sum() >= 3
    alone = division(labels[:3], [0, 1, 2], 1)
    alone.keep_labels()
    assert alone.held.sum() == 2


def test_groups_too_large_to_come_closer_stay() -> None:
    groups = [0] * 6 + [1] * 6 + [2] * 8
    divided = division(np.ones((20, 1)), [0], 3, groups)
    divided.resize((2, 4))
    assert divided.held.tolist() == [True, False, False]


def test_an_empty_side_gets_the_smallest_group() -> None:
    groups = [0] * 6 + [1] * 5 + [2] * 9
    for held, expected in (([], [1]), ([0, 1, 2], [0, 2])):
        divided = division(np.ones((20, 1)), held, 1 if not held else 19, groups)
        divided.resize((0, 20))
        assert np.flatnonzero(divided.held).tolist() == expected
