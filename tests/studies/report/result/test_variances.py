"""How much differences vary, from tracked studies on the same data, or as is assumed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
from three_arms import definition, start, track

from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.variances import SAMPLE_SD, SEED_SD, assumed, earlier_variances

pytest_plugins = ["tracker_fixture"]
DATA = "abc123"


def study(
    tracker: Tracker, folder: Path, *, name: str = "made_up", seeds: int = 3, data: str = DATA
) -> TrackedRun:
    """A study of three arms below a folder of its own."""
    folder.mkdir()
    parent = start(tracker, folder, replace(definition(tuple(range(seeds))), name=name))
    tags = {"mmclf.study": name, "mmclf.study_key": "k", "mmclf.data_digest": data}
    tracker.log_of(parent.id).tags(tags)
    for seed in range(seeds):
        for arm, wrong in (("a", 0.1), ("b", 0.2), ("c", 0.15)):
            track(tracker, folder, parent.id, arm, seed, wrong)
    return tracker.get([parent.id])[0]


@pytest.mark.parametrize("metric", ["test/f1_samples", "test/f1_macro"])
def test_the_medians_over_the_differences_of_a_study(
    tracker: Tracker, tmp_path: Path, metric: str
) -> None:
    parent = study(tracker, tmp_path / "one")
    actual = earlier_variances(tracker, "another", metric, DATA)
    assert actual is not None
    result = collect(tracker, parent, metric=metric)
    assert result.definition.metric == metric
    estimates = [arm.difference.estimate for arm in result.arms if arm.difference is not None]
    assert actual.seed_sd == median(of.deviation for of in estimates)
    assert actual.sample_sd == median(math.sqrt(of.shared) for of in estimates)
    assert "made_up" in actual.source
    assert "3 arms and 3 seeds" in actual.source


def test_a_study_of_the_same_name_comes_first(tracker: Tracker, tmp_path: Path) -> None:
    study(tracker, tmp_path / "one", name="mine")
    study(tracker, tmp_path / "two", name="other")
    sources = [
        actual.source
        for name in ("mine", "other", "third")
        if (actual := earlier_variances(tracker, name, "test/f1_samples", DATA)) is not None
    ]
    assert [source.split()[-1] for source in sources] == ["mine", "other", "other"]


def test_other_data_and_single_seeds_tell_nothing(tracker: Tracker, tmp_path: Path) -> None:
    study(tracker, tmp_path / "one", data="other")
    study(tracker, tmp_path / "two", seeds=1)
    assert earlier_variances(tracker, "made_up", "test/f1_samples", DATA) is None


def test_the_test_noise_that_is_assumed_shrinks_with_the_root_of_the_samples() -> None:
    assert (assumed(800).seed_sd, assumed(800).sample_sd) == (SEED_SD, SAMPLE_SD)
    assert assumed(3200).sample_sd == pytest.approx(SAMPLE_SD / 2)
    assert assumed(3200).seed_sd == SEED_SD
