"""A study's report and `mmclf.compare` give the same numbers of the same predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from three_arms import ARMS, definition, start, track, truth
from tracked_runs import tracker_in

from mmclf.studies.comparison import compare
from mmclf.studies.report.result.collect import collect

RATES = {"a": 0.2, "b": 0.02, "c": 0.21}


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["f1_samples", "f1_micro", "f1_macro"])
def test_a_report_says_the_same(metric: str, tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, definition((0, 1, 2), f"test/{metric}"))
    for seed in (0, 1, 2):
        for name, rate in RATES.items():
            track(tracker, tmp_path, parent.id, name, seed, rate)
    predictions = {}
    for name in ARMS:
        runs = []
        for seed in (0, 1, 2):
            saved = np.load(tmp_path / f"{name}-{seed}-{RATES[name]}" / "predictions" / "test.npz")
            runs.append(saved["logits"] > 0)
        predictions[name] = np.stack(runs)
    rows = {row["arm"]: row for row in compare(truth(), predictions, metric).to_dict("records")}
    for arm in collect(tracker, parent).arms[1:]:
        assert arm.difference is not None
        row, of = rows[arm.name], arm.difference.estimate
        assert row["difference"] == of.value
        assert (row["low_single"], row["high_single"], row["p"]) == (of.low, of.high, of.p)
        assert (row["low"], row["high"]) == (arm.difference.low, arm.difference.high)
        assert row["p_adjusted"] == arm.difference.p
        assert row["verdict"] == arm.difference.verdict
