from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from message_facts import Naming

from mmclf.config.schema import Split
from mmclf.data.checks.check import Check
from mmclf.data.checks.parts import check_groups, check_label_parts, check_sizes
from mmclf.data.samples import Samples
from mmclf.data.split import Parts

SPLIT = Split("iterative", val=0.1, test=0.2, test_seed=0)


def made(count: int, groups: Sequence[str] = (), own_test: Sequence[int] = ()) -> Samples:
    test = np.zeros(count, dtype=bool)
    test[[*own_test]] = True
    labels = np.zeros((count, 3), dtype=np.uint8)
    labels[:, 0], labels[0, 1], labels[-1, 2] = 1, 1, 1
    ids, names = tuple(map(str, range(count))), ("one", "two", "red\nblue")
    nobody = np.zeros(count, dtype=bool)
    return Samples(ids, (), ids, labels, names, names, nobody, test, tuple(groups))


def cut(train: int, val: int, test: int) -> Parts:
    return Parts(*np.split(np.arange(train + val + test), [train, train + val]))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ("", Naming("own")),
        ("aabbcc", Naming("3", "2")),
        ("aaabcc", Naming("3", "1 to 3")),
    ],
)
def test_groups_are_counted(groups: str, words: Naming) -> None:
    first, second = check_groups(made(6, groups), SPLIT)
    assert (first.status, first.name, first.detail) == ("ok", "groups", words)
    assert second == Check("ok", "groups in several parts", "none")


@pytest.mark.parametrize("split", [SPLIT, replace(SPLIT, on_shared_group="warn")])
def test_a_group_in_two_parts_is_bad_even_if_it_is_admitted(split: Split) -> None:
    _, check = check_groups(made(6, "aabbcc", own_test=[3, 4, 5]), split)
    assert check.status == "bad"
    assert check.detail.startswith("1 group ")
    assert ("admitted by" in check.detail) == (split.on_shared_group == "warn")


def test_sizes_asked_and_got() -> None:
    check = check_sizes(made(100), cut(72, 9, 19), SPLIT)
    assert (check.status, check.name) == ("ok", "sizes of the parts")
    assert check.detail == Naming("train 72", "70", "val 9", "10", "test 19", "20")
    assert check_sizes(made(100), cut(67, 12, 21), SPLIT).status == "note"
    own = check_sizes(made(10, own_test=range(5, 10)), cut(4, 1, 5), SPLIT)
    assert own.detail == Naming("train 4", "5", "val 1", "0", "test 5", "source")


def test_labels_that_val_and_test_lack() -> None:
    val, test = check_label_parts(made(10), cut(6, 2, 2))
    assert (val.name, val.status) == ("labels not in val", "note")
    assert val.detail == Naming("2 of 3", "'two'", "'red blue'")
    assert (test.name, test.status) == ("labels not in test", "note")
    assert test.detail == Naming("1 of 3", "'two'")
