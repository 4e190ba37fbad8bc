from __future__ import annotations

import numpy as np
import pytest
from message_facts import Naming

from mmclf.data.label_support import check_label_support
from mmclf.data.split import Parts
from mmclf.errors import InputError

PARTS = Parts(train=np.array([0, 1]), val=np.array([2]), test=np.array([3, 4]))
NAMES = ("person", "traffic light", "t-shirt", "dog")


def test_labels_that_training_holds_are_fine() -> None:
    labels = np.array([[1, 0, 0, 1], [0, 1, 1, 0], *([[0, 0, 0, 0]] * 3)], dtype=np.uint8)
    check_label_support(labels, PARTS, NAMES)


def test_each_label_without_a_positive_in_training_is_named_with_its_counts() -> None:
    labels = np.array(
        [[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 0, 0]], dtype=np.uint8
    )
    with pytest.raises(InputError) as caught:
        check_label_support(labels, PARTS, NAMES)
    assert list(caught.value.problems) == [
        Naming("'traffic light'", "1 in val", "2 in test", "split.test_seed"),
        Naming("'t-shirt'", "no positive"),
        Naming("'dog'", "0 in val", "1 in test", "split.test_seed"),
    ]


@pytest.mark.parametrize(("absent", "more"), [(5, 0), (8, 3)])
def test_five_are_listed(absent: int, more: int) -> None:
    labels = np.zeros((5, 10), dtype=np.uint8)
    labels[:, absent:] = 1
    with pytest.raises(InputError) as caught:
        check_label_support(labels, PARTS, [f"label {j}" for j in range(10)])
    problems = caught.value.problems
    assert len(problems) == 5 + (more > 0)
    assert "'label 4'" in problems[4]
    if more:
        assert problems[5] == Naming("3 more", "10 labels")


def test_counts_beyond_a_byte() -> None:
    labels = np.ones((600, 1), dtype=np.uint8)
    labels[:10] = 0
    parts = Parts(train=np.arange(10), val=np.arange(10, 20), test=np.arange(20, 600))
    with pytest.raises(InputError, match=Naming("10 in val", "580 in test").pattern):
        check_label_support(labels, parts, ["a"])
