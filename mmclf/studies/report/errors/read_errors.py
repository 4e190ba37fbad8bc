"""What the best arm of a study gets wrong, out of its runs and, where at hand, its samples."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.data.samples import Samples
from mmclf.errors import InputError
from mmclf.evaluation.errors import confused_pairs, costly_labels, odd_labels
from mmclf.pipeline.predict.source import data_node, read_samples
from mmclf.plots.words import shortened
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.artifacts.common_samples import Decided, on_common_samples
from mmclf.studies.report.artifacts.predictions import FITTED, read_predictions
from mmclf.studies.report.errors.error_result import (
    ErrorResult,
    ShownLabel,
    ShownOdd,
    ShownPair,
    ShownSample,
)
from mmclf.studies.report.errors.thumbnails import thumbnails
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.run_key import RunKey

LABELS, WORST, PAIRS, ODD = 5, 4, 10, 12
LONGEST_REASON = 160  # letters
WITHOUT = "Captions and pictures are left out, as --no-images asks"


@dataclass(frozen=True)
class _Source:
    """The samples of a run's source, with their rows by id; a note without them.

    They have not the captions that the run read where it shuffled them.
    """

    rows: Mapping[str, int]
    samples: Samples | None
    note: str = ""
    has_captions: bool = True


def read_errors(
    tracker: Tracker, result: StudyResult, allow: Sequence[str], *, images: bool
) -> ErrorResult | None:
    """The errors of the arm with the best mean; None without a finished run.

    An error counts where most seeds make it. Without `images` nothing of the samples is read.

    Args:
        tracker: of the runs.
        result: of the study.
        allow: modules of the user that a data source may come from.
        images: whether to read captions and pictures from where the run had them.

    """
    arm = result.best
    if arm is None:
        return None
    runs, names = _decided(tracker, arm.runs, arm.name, result.definition.deciding.rule)
    paired, _ = on_common_samples(runs, next(iter(runs.values())))
    first = next(iter(paired.values()))
    probabilities = np.stack([_probabilities(of) for of in paired.values()])
    predicted = np.stack([of.predicted for of in paired.values()]).mean(axis=0) > 0.5
    source = _source(tracker, arm.runs[0], first, allow) if images else _Source({}, None, WITHOUT)
    sheet = _Sheet(first, names, probabilities.mean(axis=0), source)
    labels, decided = first.labels, predicted.astype(np.uint8)
    errors = ErrorResult(
        arm.name,
        len(paired),
        len(first.ids),
        [
            ShownLabel(
                names[errors.label],
                errors.cost,
                len(errors.false_positives),
                len(errors.false_negatives),
                *(
                    [sheet.sample(row, errors.label) for row in rows[:WORST]]
                    for rows in (errors.false_positives, errors.false_negatives)
                ),
            )
            for errors in costly_labels(labels, decided, sheet.probabilities, LABELS)
        ],
        [
            ShownPair(names[pair.missed], names[pair.instead], pair.count, pair.missed_count)
            for pair in confused_pairs(labels, decided, PAIRS)
        ],
        [
            ShownOdd(names[odd.label], odd.given == 1, sheet.sample(odd.row, odd.label))
            for odd in odd_labels(labels, probabilities, ODD)
        ],
        [source.note] if source.note else [],
    )
    return _with_pictures(errors, source)


def _decided(
    tracker: Tracker, runs: Sequence[TrackedRun], arm: str, rule: str
) -> tuple[dict[RunKey, Decided], tuple[str, ...]]:
    """What each run made of its test samples, and the names of the labels."""
    decided: dict[RunKey, Decided] = {}
    names: tuple[str, ...] = ()
    for run in runs:
        with tempfile.TemporaryDirectory() as folder:
            of = read_predictions(tracker, run, Path(folder), with_val=rule == FITTED)
        names = names or of.label_names
        test = of.test
        key = RunKey(arm, int(run.tags["mmclf.seed"]))
        decided[key] = Decided(
            test.ids, test.groups, test.labels, of.sets(rule), probabilities=test.probabilities
        )
    return decided, names


def _probabilities(of: Decided) -> NDArray[np.float64]:
    assert of.probabilities is not None
    return of.probabilities


def _source(tracker: Tracker, run: TrackedRun, test: Decided, allow: Sequence[str]) -> _Source:
    """The samples that a run read, if they are what they were."""
    try:
        samples = read_samples(data_node(tracker, run.id), allow)
    except (InputError, OSError) as error:
        reason = shortened(str(error) or type(error).__name__, LONGEST_REASON)
        return _Source({}, None, f"The samples are not at hand, so without pictures: {reason}")
    rows = {id_: row for row, id_ in enumerate(samples.ids)}
    row_numbers = [rows.get(str(id_), -1) for id_ in test.ids]
    if min(row_numbers, default=-1) < 0 or not _same_labels(
        samples.labels[row_numbers], test.labels
    ):
        return _Source({}, None, "The samples have changed since, so without pictures")
    is_shuffled = run.params.get("data.caption_order") == "shuffled"
    return _Source(rows, samples, has_captions=not is_shuffled)


def _same_labels(labels: NDArray[np.uint8], tracked: NDArray[np.uint8]) -> bool:
    return labels.shape == tracked.shape and bool((labels == tracked).all())


@dataclass(frozen=True)
class _Sheet:
    """What samples are shown with: the test set, names of labels, mean probabilities (N, L)."""

    test: Decided
    names: Sequence[str]
    probabilities: NDArray[np.float64]
    source: _Source

    def sample(self, row: int, label: int) -> ShownSample:
        """A sample of the test set, by its row, with the probability of a label."""
        id_ = str(self.test.ids[row])
        samples = self.source.samples if self.source.has_captions else None
        captions = () if samples is None else samples.captions_of(self.source.rows[id_])
        return ShownSample(
            id_,
            [caption for caption in captions if caption.strip()],
            [self.names[int(j)] for j in np.flatnonzero(self.test.labels[row])],
            float(self.probabilities[row, label]),
        )


def _with_pictures(errors: ErrorResult, source: _Source) -> ErrorResult:
    """The same with a picture of each sample whose image can be read."""
    samples = source.samples
    if samples is None or not samples.images:
        return errors
    wanted = {source.rows[sample.id] for sample in errors.shown()}
    pictures, note = thumbnails({row: samples.images[row] for row in wanted})

    def pictured(sample: ShownSample) -> ShownSample:
        return replace(sample, picture=pictures.get(source.rows[sample.id]))

    return replace(
        errors,
        labels=[
            replace(
                label,
                false_positives=[*map(pictured, label.false_positives)],
                false_negatives=[*map(pictured, label.false_negatives)],
            )
            for label in errors.labels
        ],
        odd=[replace(odd, sample=pictured(odd.sample)) for odd in errors.odd],
        notes=[*errors.notes, *([note] if note else [])],
    )
