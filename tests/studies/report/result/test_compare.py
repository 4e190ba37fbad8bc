"""Any two tracked runs beside each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from three_arms import N, definition, start, track

from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker
from mmclf.studies.report.result.compare import compare
from mmclf.studies.report.tables.study_tables import verdict
from mmclf.studies.report.words.answer import answer

pytest_plugins = ["tracker_fixture"]
pytestmark = pytest.mark.slow


def test_two_runs_are_compared_paired_by_sample(tracker: Tracker, tmp_path: Path) -> None:
    one = track(tracker, tmp_path, None, "a", 0, 0.3)
    other = track(tracker, tmp_path, None, "b", 0, 0.01)
    table = compare(tracker, *tracker.get([one, other]))
    assert not any("different seeds" in note for note in table.notes)
    assert [arm.runs[0].id for arm in table.arms] == [one, other]
    assert verdict(table.arms[1].difference) == "undecided"
    assert table.notes[0].startswith("1 seed: ")
    answered = answer(table)
    assert len(answered.bullets) == 1
    difference = table.arms[1].difference
    assert difference is not None
    assert (difference.comparisons, difference.low > 0) == (1, True)


def test_different_seeds_are_said_where_two_runs_are_compared(
    tracker: Tracker, tmp_path: Path
) -> None:
    one = track(tracker, tmp_path, None, "a", 2, 0.3)
    other = track(tracker, tmp_path, None, "b", 1, 0.01)
    table = compare(tracker, *tracker.get([one, other]))
    assert "different seeds, 2 and 1: part of the difference is theirs" in table.notes[0]
    assert table.definition.seeds == (2,)


def test_what_cannot_be_compared_is_refused(tracker: Tracker, tmp_path: Path) -> None:
    one = track(tracker, tmp_path, None, "a", 0, 0.3)
    short = track(tracker, tmp_path, None, "b", 0, 0.3, ids=N // 2)
    lost = track(tracker, tmp_path, None, "c", 0, 0.3)
    shutil.rmtree(tmp_path / "artifacts" / lost)
    parent = start(tracker, tmp_path, definition((0,)))
    with pytest.raises(InputError, match="have different test sets"):
        compare(tracker, *tracker.get([one, short]))
    with pytest.raises(InputError, match=f"the run {lost} .* has no artifact"):
        compare(tracker, *tracker.get([one, lost]))
    with pytest.raises(InputError, match="is given twice"):
        compare(tracker, *tracker.get([one, one]))
    with pytest.raises(InputError, match="expected a finished run that has trained a model"):
        compare(tracker, tracker.get([one])[0], parent)
