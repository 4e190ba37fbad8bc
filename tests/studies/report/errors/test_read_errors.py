"""The errors of a study's best arm, from tracked runs and the samples that they read."""

from __future__ import annotations

import csv
import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import yaml
from html_reader import part, read
from PIL import Image
from tracked_runs import LABELS, TEST, start, track, tracker_in

from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.errors.error_result import ErrorResult
from mmclf.studies.report.errors.read_errors import read_errors
from mmclf.studies.report.page.document import page
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult

CAPTION = "a <script>alert(1)</script> & \x1b[31m dog {{ 7 * 7 }}"


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return tracker_in(tmp_path)


@pytest.fixture
def study(tracker: Tracker, tmp_path: Path) -> StudyResult:
    """A study whose best arm has two seeds that make the same errors."""
    parent = start(tracker, tmp_path, (0, 1))
    for arm, wrong in (("plain", 0.4), ("better", 0.2)):
        for seed in (0, 1):
            track(tracker, tmp_path, parent.id, (arm, seed), wrong=wrong)
    return collect(tracker, parent)


def write_source(folder: Path, *, flip: bool = False) -> None:
    """The samples that the tracked runs say they read: a table, and a picture of each."""
    labels = (np.random.default_rng(TEST).random((TEST, len(LABELS))) < 0.4).astype(int)
    if flip:
        labels = 1 - labels
    folder.mkdir(exist_ok=True)
    with (folder / "samples.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "caption", *(f"is_{name}" for name in LABELS)])
        for row in range(TEST):
            writer.writerow([f"test{row}", CAPTION, *labels[row]])
            Image.new("RGB", (60, 30), (row, 0, 200)).save(folder / f"test{row}", "PNG")


def tell_source(tracker: Tracker, run: TrackedRun, folder: Path) -> None:
    """Give a run the configuration that says where its samples were."""
    node = {
        "_target_": "mmclf.data.sources.table.load",
        "root": str(folder),
        "file": "samples.csv",
        "image_column": "image",
        "caption_column": "caption",
        "label_columns": [f"is_{name}" for name in LABELS],
        "unlabelled": "keep",
        "caption_order": "given",
    }
    target = folder.parent / f"config-{run.id}"
    target.mkdir()
    (target / "config.yaml").write_text(yaml.safe_dump({"data": node}))
    tracker.log_of(run.id).artifacts(target)


def errors_of(tracker: Tracker, study: StudyResult, *, images: bool = True) -> ErrorResult:
    errors = read_errors(tracker, study, (), images=images)
    assert errors is not None
    return errors


def pictures(result: ErrorResult) -> list[str]:
    return [sample.picture for sample in result.shown() if sample.picture is not None]


@pytest.fixture
def source(tracker: Tracker, study: StudyResult, tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    write_source(folder)
    assert study.best is not None
    tell_source(tracker, study.best.runs[0], folder)
    return folder


def test_samples_are_shown_as_their_source_has_them(
    tracker: Tracker, study: StudyResult, source: Path
) -> None:
    errors = errors_of(tracker, study)
    assert (errors.arm, errors.seeds, errors.samples, list(errors.notes)) == ("better", 2, TEST, [])
    shown = list(errors.shown())
    assert shown
    assert {tuple(sample.captions) for sample in shown} == {(CAPTION,)}
    for sample in shown:
        assert sample.picture is not None
        image = Image.open(io.BytesIO(b64decode(sample.picture.partition(",")[2])))
        row = int(sample.id.removeprefix("test"))
        assert image.size == (176, 88)
        assert np.abs(np.asarray(image)[40, 80].astype(int) - (row, 0, 200)).max() < 12
    worst = errors.labels[0]
    assert worst.cost == max(label.cost for label in errors.labels)
    probabilities = [sample.probability for sample in worst.false_positives]
    assert all(value > 0.5 for value in probabilities)


def test_names_and_captions_of_strangers_are_text_on_the_page(
    tracker: Tracker, study: StudyResult, source: Path
) -> None:
    text = page(study, None, [], None, errors_of(tracker, study))
    assert "<script>" not in text
    assert "\x1b" not in text
    section = part(read(text), "errors")
    assert "<script>alert(1)</script> & " in section.whole_text()
    assert "{{ 7 * 7 }}" in section.whole_text()
    assert all(
        image.attributes["src"].startswith("data:image/jpeg;") for image in section.all("img")
    )


def test_without_images_nothing_of_the_source_is_read(
    tracker: Tracker, study: StudyResult, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("mmclf.studies.report.errors.read_errors.read_samples", fail)
    actual = errors_of(tracker, study, images=False)
    assert actual.labels
    assert len(actual.notes) == 1
    assert [sample for sample in actual.shown() if sample.captions or sample.picture] == []


@pytest.mark.parametrize("fault", ["gone", "changed", "never told"])
def test_samples_that_are_not_at_hand_are_one_line(
    tracker: Tracker, study: StudyResult, tmp_path: Path, fault: str
) -> None:
    folder = tmp_path / "samples"
    assert study.best is not None
    if fault != "never told":
        tell_source(tracker, study.best.runs[0], folder)
    if fault == "changed":
        write_source(folder, flip=True)
    errors = errors_of(tracker, study)
    assert len(errors.notes) == 1
    assert "\n" not in errors.notes[0]
    assert pictures(errors) == []
    assert errors.labels


def test_a_picture_that_is_none_is_left_out_and_counted(
    tracker: Tracker, study: StudyResult, source: Path
) -> None:
    shown = next(iter(errors_of(tracker, study).shown()))
    (source / shown.id).write_bytes(b"no picture")
    errors = errors_of(tracker, study)
    assert {sample.id for sample in errors.shown() if sample.picture is None} == {shown.id}
    assert len(errors.notes) == 1


def test_pictures_end_where_the_page_would_be_too_large(
    tracker: Tracker, study: StudyResult, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = pictures(errors_of(tracker, study))
    most = 3 * max(map(len, every))
    monkeypatch.setattr("mmclf.studies.report.errors.thumbnails.MOST_BYTES", most)
    actual = errors_of(tracker, study)
    kept = {*pictures(actual)}
    assert 0 < sum(map(len, kept)) <= most
    assert len(actual.notes) == 1
