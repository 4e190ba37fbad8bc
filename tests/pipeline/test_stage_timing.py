from __future__ import annotations

import pytest
from message_facts import Naming

from mmclf.pipeline.stage_timing import speeds, times, timing_tags
from mmclf.storage.store.entry import StageTiming

CPU, GPU = "2 x CPU", "1 x GPU"


def timing(stage: str, seconds: float, count: int = 100, run: str | None = "run1") -> StageTiming:
    hardware = GPU if stage == "text" else CPU
    return StageTiming(stage, f"{stage:a<40}", seconds, count, hardware, run)


COSTS = (
    timing("decide", 0.125),
    timing("fit", 4.0, 800),
    timing("split", 0.25),
    timing("pictures", 1.0),
    timing("vision", 2.0, 100),
    timing("vision", 3.0, 90),
    timing("text", 0.5, 100, run="run0"),
)


def test_the_cold_time_is_the_sum_of_all_costs() -> None:
    assert times(COSTS) == {
        "time/encode_s": 6.5,
        "time/fit_s": 4.0,
        "time/decide_s": 0.125,
        "time/cold_s": 10.875,
    }


def test_the_test_set_judged_once_more_is_part_of_deciding() -> None:
    actual = times([*COSTS, timing("tested", 0.5, 40)])
    assert (actual["time/decide_s"], actual["time/cold_s"]) == (0.625, 11.375)


def test_a_stage_that_there_was_not_took_no_time_and_has_no_speed() -> None:
    few = (timing("fit", 4.0, 800), timing("split", 0.25))
    assert times(few)["time/encode_s"] == 0
    assert speeds(few) == {"speed/fit_samples_per_s": 200.0}


def test_speeds_are_over_all_views() -> None:
    assert speeds(COSTS) == {
        "speed/images_per_s": 38.0,
        "speed/captions_per_s": 200.0,
        "speed/fit_samples_per_s": 200.0,
    }


def test_what_took_no_time_has_no_speed() -> None:
    assert speeds([timing("text", 0.0)]) == {}


def test_tags_tell_which_run_made_what_where_and_at_what_cost() -> None:
    assert timing_tags(COSTS, "run1") == {
        "mmclf.cold_hardware": Naming("1 x GPU", "2 x CPU"),
        "mmclf.stage.decide": Naming("decideaaaaaa", "this run", "0.125 s", "2 x CPU"),
        "mmclf.stage.fit": Naming("fitaaaaaaaaa", "this run", "4.000 s", "2 x CPU"),
        "mmclf.stage.split": Naming("splitaaaaaaa", "this run", "0.250 s", "2 x CPU"),
        "mmclf.stage.pictures": Naming("picturesaaaa", "this run", "1.000 s", "2 x CPU"),
        "mmclf.stage.vision.0": Naming("visionaaaaaa", "this run", "2.000 s", "2 x CPU"),
        "mmclf.stage.vision.1": Naming("visionaaaaaa", "this run", "3.000 s", "2 x CPU"),
        "mmclf.stage.text": Naming("textaaaaaaaa", "run run0", "0.500 s", "1 x GPU"),
    }


@pytest.mark.parametrize(
    ("run", "maker"), [("run1", "this run"), ("run0", "run run0"), (None, "no run")]
)
def test_a_maker_is_this_run_another_or_none(run: str | None, maker: str) -> None:
    tags = timing_tags([timing("fit", 4.0, run=run)], "run1")
    assert tags["mmclf.stage.fit"] == Naming("fitaaaaaaaaa", maker, "4.000 s", "2 x CPU")
