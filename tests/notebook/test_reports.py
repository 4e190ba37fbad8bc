"""What Python gets of a study and of runs: tables in shares, HTML in points, plots."""

from __future__ import annotations

from pathlib import Path

import pytest
from html_reader import read
from matplotlib.figure import Figure
from message_facts import Naming
from three_arms import definition, start, track

import mmclf
from mmclf.errors import InputError
from mmclf.notebook.runs_report import RunsReport
from mmclf.notebook.study_report import StudyReport
from mmclf.storage.tracking import Tracker
from mmclf.studies.report.result.collect import collect

pytest_plugins = ["tracker_fixture"]


@pytest.fixture
def study(tracker: Tracker, tmp_path: Path) -> StudyReport:
    parent = start(tracker, tmp_path, definition((0, 1)))
    for seed in (0, 1):
        for arm, wrong in (("a", 0.2), ("b", 0.02), ("c", 0.2)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong, rules=True)
    tracker.log_of(parent.id).tags({"mmclf.study_key": "0", "mmclf.study_last_ns": "1"})
    return StudyReport(tracker, collect(tracker, parent))


def test_a_studys_table_is_in_shares_and_its_html_in_points(study: StudyReport) -> None:
    assert list(study.table["Arm"]) == ["a", "b", "c"]
    means = study.table["test/f1_samples"]
    assert means.between(0, 1).all()
    root = read(study._repr_html_())
    cells = [[cell.whole_text() for cell in row.children] for row in root.all("tr")]
    assert [row[0] for row in cells] == ["Arm", "a", "b", "c"]
    for row, mean in zip(cells[1:], means, strict=True):
        assert f"{100 * mean:.2f}" in row
    assert root.all("p")[0].whole_text() == "Which?"
    assert len(study.run_ids) == len(study.runs) == 6
    assert repr(study) == Naming("made_up", 3, 6)
    assert study.effects is None
    assert study.answer.count("\n- ") == 2


def test_a_study_is_drawn_and_what_it_lacks_is_said(study: StudyReport) -> None:
    assert isinstance(study.plot_differences(), Figure)
    assert isinstance(study.plot_cost(), Figure)
    with pytest.raises(InputError) as caught:
        study.plot_effects()
    assert str(caught.value) == Naming("plot_effects", "made_up", "plot_differences", "plot_cost")


def test_runs_are_a_table_by_their_ids(study: StudyReport, tmp_path: Path) -> None:
    place = f"output_dir={tmp_path}"
    actual = mmclf.report(place, runs=study.run_ids[:2])
    assert isinstance(actual, RunsReport)
    assert list(actual.table["run_id"]) == actual.run_ids == study.run_ids[:2]
    assert list(actual.table["status"]) == ["FINISHED"] * 2
    root = read(actual._repr_html_())
    score = actual.table["Test F1"][0]
    assert f"{100 * score:.2f}" in [cell.whole_text() for cell in root.all("td")]
    assert isinstance(actual.plot_cost(), Figure)
    with pytest.raises(InputError, match=Naming("run_ids", "'nope'").pattern):
        actual.plot_learning(["nope"])


def test_a_study_is_found_by_its_name(study: StudyReport, tmp_path: Path) -> None:
    place = f"output_dir={tmp_path}"
    for words in (f"made_up {place}", ["study=made_up", place]):
        actual = mmclf.report(words)
        assert isinstance(actual, StudyReport)
        assert actual.id == study.id
    with pytest.raises(InputError, match=Naming("'made_p'", "'made_up'").pattern):
        mmclf.report(f"made_p {place}")
    with pytest.raises(InputError, match=Naming("overrides", "a", "b").pattern):
        mmclf.report(f"a b {place}")


def test_two_runs_are_compared(study: StudyReport, tmp_path: Path) -> None:
    pair = [study.run_ids[0], study.run_ids[2]]
    actual = mmclf.report(f"output_dir={tmp_path}", compare=pair)
    assert isinstance(actual, StudyReport)
    assert actual.run_ids == pair
    for wrong in (pair[:1], []):
        with pytest.raises(InputError, match=Naming("compare").pattern):
            mmclf.report(compare=wrong)
    with pytest.raises(InputError, match=Naming("runs", "compare").pattern):
        mmclf.report(runs=pair, compare=pair)
