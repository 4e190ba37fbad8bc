from __future__ import annotations

from typing import Any

import pytest

from mmclf.storage.tracking import TrackedRun
from mmclf.studies.earlier import Earlier, HeldOut, earlier, held_out_of

HELD_OUT = HeldOut("abc", "0")


def run(
    loss: str,
    *,
    parent: str | None = None,
    started: int = 10,
    status: str = "FINISHED",
    data: str = "abc",
    **params: Any,
) -> TrackedRun:
    """A run of a loss; below a parent it is of a study, unless that is called a sweep."""
    tags = {"mmclf.data_digest": data}
    if parent is not None and not parent.startswith("sweep"):
        tags["mmclf.study"] = "made_up"
    given = {"loss": loss, "split.test_seed": "0", "seed": "0"} | {
        key.replace("__", "."): str(value) for key, value in params.items()
    }
    return TrackedRun("id", "name", status, started, parent, tags, given, {})


def parent(started: int = 50) -> TrackedRun:
    return TrackedRun("own", "study", "RUNNING", started, None, {}, {}, {})


def test_configurations_count_once_whatever_the_seed_and_the_place() -> None:
    runs = [
        run("bce", parent="one"),
        run("bce", parent="one", seed=1),
        run("bce", parent="two", device="cuda", output_dir="elsewhere", store__dir="there"),
        run("focal", parent="two"),
        run("focal", parent="two", head__dropout=0.2),
        run("asymmetric"),
        run("weighted", parent="sweep"),
    ]
    assert earlier(runs, HELD_OUT) == Earlier(configurations=5, studies=2)


@pytest.mark.parametrize(
    "other",
    [
        run("focal", data="other"),
        run("focal", split__test_seed=1),
        run("focal", status="FAILED"),
        TrackedRun("id", "name", "FINISHED", 1, None, {"mmclf.data_digest": "abc"}, {}, {}),
        TrackedRun("id", "name", "FINISHED", 1, None, {}, {"split.test_seed": "0"}, {}),
    ],
)
def test_what_scored_nothing_on_this_test_set_does_not_count(other: TrackedRun) -> None:
    assert earlier([other], HELD_OUT) == Earlier(0, 0)


def test_of_a_study_what_was_scored_before_it_and_is_not_its_own() -> None:
    own = parent(started=50)
    runs = [
        run("bce", parent="own", started=60),
        run("focal", parent="own", started=61),
        run("bce", parent="other", started=10),
        run("asymmetric", parent="other", started=11),
        run("later", parent="third", started=51),
    ]
    assert earlier(runs, HELD_OUT, own) == Earlier(configurations=1, studies=1)
    assert earlier(runs, HELD_OUT) == Earlier(configurations=4, studies=3)


def test_which_test_set_a_run_had() -> None:
    assert held_out_of(run("bce", split__test_seed=3)) == HeldOut("abc", "3")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Earlier(1, 1), "1 configuration, in 1 study"),
        (Earlier(12, 2), "12 configurations, in 2 studies"),
    ],
)
def test_words(found: Earlier, words: str) -> None:
    assert found.words() == words
