"""A study's folder: all of its files are of one report, or as they were."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from tracked_runs import start, track, tracker_in

from mmclf.cli.main import main
from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import study_plots
from mmclf.studies.report.publish import PAGE, publish
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return tracker_in(tmp_path)


@pytest.fixture
def study(tracker: Tracker, tmp_path: Path) -> StudyResult:
    """A study of two arms with a run each."""
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id, ("plain", 0), wrong=0.4)
    track(tracker, tmp_path, parent.id, ("better", 0), wrong=0.0)
    return collect(tracker, parent)


@pytest.fixture
def one_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the plots, which take seconds, the first alone."""
    used = "mmclf.studies.report.publish.study_plots"
    monkeypatch.setattr(used, lambda *of: study_plots(*of)[:1])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_an_earlier_report_had_alone_is_removed(
    tracker: Tracker, study: StudyResult, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    (folder / "figures").mkdir(parents=True)
    for name in (
        "effects.csv",
        "figures/of_before.svg",
        "figures/of_before.pdf",
        "results.csv",
        "notes.txt",
    ):
        (folder / name).write_text("older")
    plots = publish(tracker, study, folder)
    tables = {f"results.{suffix}" for suffix in ("txt", "md", "csv", "tex")} | {
        "runs.csv",
        "labels.csv",
    }
    figures = {f"figures/{plot.key}.{form}" for plot in plots for form in ("svg", "pdf", "png")}
    assert contents(folder).keys() == {PAGE, "notes.txt", *tables, *figures}
    assert contents(folder)["results.csv"] != b"older"


@pytest.mark.usefixtures("one_plot")
@pytest.mark.hostile("disks, streams, clocks")
def test_a_full_disk_leaves_the_report_as_it_was(
    tracker: Tracker, study: StudyResult, small_disk: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    publish(tracker, study, small_disk / "report")
    (small_disk / "report" / "figures" / "of_before.svg").touch()
    with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    before = contents(small_disk)
    with pytest.raises(InputError, match="No space left on device"):
        publish(tracker, study, small_disk / "report")
    assert contents(small_disk) == before


@pytest.mark.usefixtures("one_plot")
@pytest.mark.hostile("runs of others")
def test_a_folder_of_figures_that_is_a_link_is_not_followed(
    tracker: Tracker, study: StudyResult, tmp_path: Path
) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "report"
    outside.mkdir()
    folder.mkdir()
    (outside / "own.svg").touch()
    (folder / "figures").symlink_to(outside)
    (folder / PAGE).symlink_to(outside / "own.svg")
    publish(tracker, study, folder)
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"own.svg": b""}


@pytest.mark.hostile("runs of others")
def test_a_study_whose_name_leads_out_of_the_folder_is_refused(
    tracker: Tracker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id)
    (file,) = tmp_path.glob(f"artifacts/{parent.id}/artifacts/study.json")
    file.write_text(file.read_text().replace('"made_up"', '"../../../outside"'))
    before = {path for path in tmp_path.parent.rglob("*") if "mlflow" not in path.name}
    assert main(["report", "made_up", f"output_dir={tmp_path}"]) == 2
    assert "found the study's name '../../../outside'" in capsys.readouterr().err
    assert {path for path in tmp_path.parent.rglob("*") if "mlflow" not in path.name} == before


@pytest.mark.usefixtures("one_plot")
@pytest.mark.hostile("disks, streams, clocks")
def test_a_folder_that_cannot_be_made_is_named(
    tracker: Tracker, study: StudyResult, tmp_path: Path
) -> None:
    (tmp_path / "report").touch()
    with pytest.raises(InputError, match="report: the report cannot be written"):
        publish(tracker, study, tmp_path / "report")
