"""What a reader of a study must know before comparing, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from mmclf.plots.words import counted
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.definition import Definition
from mmclf.studies.report.results import ArmResult

SHARED = "mmclf.shared_groups"
CONDITIONS = {
    "mmclf.hardware": "hardware",
    "mmclf.cold_hardware": "hardware, which their running times are of",
    "mmclf.versions": "versions",
    "mmclf.commit": "commits",
    "mmclf.data_digest": "data",
}


class Tracked(Protocol):
    """What the notes on labels need of a tracked run."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The last value of every metric."""


def label_notes(runs: Sequence[Tracked], parts: Sequence[str]) -> Iterator[str]:
    """That labels have no positive in a part, and so count as 0 in macro-F1; of the worst run."""
    for part in parts:
        key = f"{part}/labels_without_positive"
        run = max(runs, key=lambda one: one.metrics.get(key, 0.0), default=None)
        absent = 0 if run is None else int(run.metrics.get(key, 0.0))
        if run is None or absent == 0:
            continue
        labels = sum(name.startswith("test/f1_label/") for name in run.metrics)
        most = 1 - absent / max(labels, absent)
        yield (
            f"without a positive in {part}: {absent} of {counted(labels, 'label')}; each counts as "
            f"0 in {part}/f1_macro, which so is at most {most:.3g}, and {part}/f1_macro_present is "
            "the mean over the others"
        )


def group_notes(samples: int, groups: int) -> Iterator[str]:
    """That test samples belong together, unless each is its own group."""
    if groups < samples:
        yield (
            f"the {samples} test samples are in {counted(groups, 'group')} that belong together, "
            "as the captions of one image do: intervals and p take the groups, not the samples, "
            "as what is drawn by chance"
        )


def _asked(arm: ArmResult) -> int:
    """How many runs of an arm there should be."""
    return len(arm.runs) + len(arm.failed) + len(arm.missing)


def study_notes(
    definition: Definition, arms: Sequence[ArmResult], finished: Sequence[TrackedRun]
) -> Iterator[str]:
    """What is to be known of a study's seeds, arms, orders, and of its finished runs."""
    if len(definition.seeds) == 1:
        yield (
            "one seed alone: the intervals hold the test set's share of the uncertainty, and "
            "nothing of what another seed would give"
        )
    shared = {run.tags[SHARED] for run in finished if SHARED in run.tags}
    if shared:
        number = counted(max(map(int, shared)), "group")
        yield (
            f"{number} of samples that belong together stood in several parts "
            "(split.on_shared_group=warn): scores on what was partly seen in training are too good"
        )
    unfinished = sum(len(arm.failed) + len(arm.missing) for arm in arms)
    if unfinished:
        yield (
            f"{unfinished} of {sum(map(_asked, arms))} runs have not finished: arms are "
            "compared on the seeds that they share; the same command runs what is missing"
        )
    if definition.gain is not None and definition.gain[0].name == definition.baseline:
        yield (
            f"p is corrected over the effects and the whole, {definition.gain[1].name!r}, "
            "together, and over the other arms' differences by themselves"
        )
    draws = max((len(effect.draws) for effect in definition.effects), default=0)
    if draws:
        held = "what" if draws > 1 else "nothing of what"
        yield (
            f"the Shapley values are estimates from {counted(draws, 'random order')} of the "
            f"changes and the reverse; the intervals hold {held} other orders would give"
        )
    yield from label_notes(finished, ("test",))
    if any("mmclf.zero_division" in run.tags for run in finished):
        yield (
            "some samples have no label: in samples-F1 one without true and predicted labels "
            "scores 1 (as scikit-learn's zero_division=1)"
        )
    for tag, name in CONDITIONS.items():
        values = sorted({run.tags[tag] for run in finished if tag in run.tags})
        if len(values) > 1:
            yield f"the runs are of different {name}: {'; '.join(values)}"
