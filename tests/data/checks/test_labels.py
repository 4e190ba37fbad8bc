from __future__ import annotations

import numpy as np
import pytest
from message_facts import Naming

from mmclf.data.checks.labels import MIN_POSITIVES, LabelRow, imbalance, label_rows
from mmclf.data.samples import Samples
from mmclf.data.split import Parts


def row(train: int, val: int, test: int) -> LabelRow:
    """A label of 100 samples in training, and of 50 in val and in test."""
    counts = {"train": train, "val": val, "test": test}
    shares = {"train": train / 100, "val": val / 50, "test": test / 50}
    return LabelRow("1", "cat", sum(counts.values()), counts, shares)


def samples(labels: list[list[int]]) -> Samples:
    count = len(labels)
    return Samples(
        ids=tuple(f"{i}.png" for i in range(count)),
        images=(),
        captions=("",) * count,
        labels=np.array(labels, dtype=np.uint8),
        label_ids=("7", "t-shirt"),
        label_names=("traffic light", "t-shirt"),
        own_val=np.zeros(count, dtype=bool),
        own_test=np.zeros(count, dtype=bool),
    )


def test_counts_shares_and_ratios() -> None:
    labels = [[1, 0], [1, 1], [0, 0], [0, 0], [1, 0], [0, 1], [1, 1]]
    parts = Parts(np.array([0, 1, 2, 3]), np.array([4]), np.array([5, 6]))
    first, second = label_rows(samples(labels), parts)
    assert (first.id, first.name, first.total) == ("7", "traffic light", 4)
    assert first.counts == {"train": 2, "val": 1, "test": 1}
    assert first.shares == {"train": 0.5, "val": 1.0, "test": 0.5}
    assert first.ratios == {"val": 2.0, "test": 1.0}
    assert (second.id, second.name, second.total) == ("t-shirt", "t-shirt", 3)
    assert second.counts == {"train": 1, "val": 0, "test": 2}
    assert second.ratios == {"val": 0.0, "test": 4.0}


def test_many_positives_are_not_counted_modulo_256() -> None:
    (first, _) = label_rows(samples([[1, 0]] * 300), None)
    assert first.total == 300


def test_samples_that_are_in_no_part_count_in_the_total_alone() -> None:
    parts = Parts(np.array([0]), np.array([1]), np.array([2]))
    (first, _) = label_rows(samples([[1, 0]] * 4), parts)
    assert (first.total, first.counts) == (4, {"train": 1, "val": 1, "test": 1})


def test_without_parts_there_is_a_total_and_nothing_to_remark() -> None:
    (first, _) = label_rows(samples([[1, 0], [1, 1]]), None)
    assert (first.total, first.counts, first.ratios, first.least_balanced) == (2, {}, {}, None)
    assert first.remark == ("ok", "")


@pytest.mark.parametrize(
    ("found", "remark"),
    [
        (row(20, 10, 10), ("ok", "")),
        (row(MIN_POSITIVES, 5, 5), ("ok", "")),
        (row(MIN_POSITIVES - 1, 5, 5), ("note", Naming("10", "training"))),
        (row(1, 1, 1), ("note", Naming("10", "training"))),
        (row(20, 20, 5), ("ok", "")),
        (row(20, 21, 10), ("note", Naming("balance", "val"))),
        (row(20, 10, 4), ("note", Naming("balance", "test"))),
        (row(20, 10, 0), ("note", "none in test")),
        (row(8, 0, 4), ("note", Naming("10", "training", "none in val"))),
        (row(0, 5, 5), ("bad", "none in training")),
        (row(0, 0, 0), ("bad", "none in training")),
    ],
)
def test_remarks(found: LabelRow, remark: tuple[str, object]) -> None:
    assert found.remark == remark


def test_the_part_that_is_furthest_apart() -> None:
    assert row(20, 12, 5).least_balanced == ("test", 0.5)
    assert row(20, 25, 5).least_balanced == ("val", 2.5)
    assert row(0, 25, 5).least_balanced is None


def test_a_half_is_as_far_as_the_double() -> None:
    assert imbalance(0.5) == imbalance(2.0) == 2.0
    assert imbalance(1.0) == 1.0
    assert imbalance(0.0) == float("inf")
