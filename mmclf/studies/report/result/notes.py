"""What a reader of a study must know before comparing, a sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from mmclf.plots.words import counted, listed, quoted
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.definition import Definition
from mmclf.studies.report.result.study_result import ArmResult, EffectResult

# What is not known with so few seeds.
FEW_SEEDS = {
    1: "what another seed would give is not known, so every verdict is undecided; the intervals "
    "hold the test set's share of the uncertainty alone",
    2: "how much seeds differ is known from one pair alone, so the intervals are wide, and a "
    "difference has to be large to be shown; take 3 or more",
}
MOST_NAMES = 8
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
        counts = [_count(run, key) for run in runs]
        absent = max(counts, default=0)
        run = runs[counts.index(absent)] if counts else None
        if run is None or absent == 0:
            continue
        labels = sum(name.startswith("test/f1_label/") for name in run.metrics)
        most = 1 - absent / max(labels, absent)
        yield (
            f"without a positive in {part}: {absent} of {counted(labels, 'label')}; each counts as "
            f"0 in {part}/f1_macro, which so is at most {100 * most:.3g} points, and "
            f"{part}/f1_macro_present is the mean over the others"
        )


def _count(run: Tracked, key: str) -> int:
    """A count that is tracked; 0 where it is not, or is none."""
    value = run.metrics.get(key, 0.0)
    return int(value) if math.isfinite(value) else 0


def group_notes(samples: int, groups: int) -> Iterator[str]:
    """That test samples belong together, unless each is its own group."""
    if groups < samples:
        yield (
            f"the {samples} test samples are in {counted(groups, 'group')} that belong together, "
            "as the captions of one image do: intervals and p take the groups, not the samples, "
            "as what is drawn by chance"
        )


def seed_notes(definition: Definition, arms: Sequence[ArmResult]) -> Iterator[str]:
    """What cannot be known of a study, or of some of its arms, with fewer than 3 seeds."""
    if len(definition.seeds) in FEW_SEEDS:
        yield f"{counted(len(definition.seeds), 'seed')}: {FEW_SEEDS[len(definition.seeds)]}"
        return
    for count, unknown in FEW_SEEDS.items():
        few = [
            quoted(arm.name)
            for arm in arms
            if arm.difference is not None and arm.difference.estimate.seeds == count
        ]
        if few:
            yield (
                f"{listed(few, MOST_NAMES)} can be compared on {counted(count, 'seed')} so far: "
                f"{unknown}"
            )


def effect_notes(
    definition: Definition, effects: Sequence[EffectResult], given: int | None = None
) -> Iterator[str]:
    """Of which seeds effects are that add up, where some runs are missing.

    `given`: how many seeds the arms were given, where these are not all.
    """
    if definition.gain is None:
        return
    seeds = [of.difference.estimate.seeds for of in effects if of.difference is not None]
    if len(seeds) < len(effects):
        lacking = [quoted(of.name) for of in effects if of.difference is None]
        yield (
            f"the effects of {listed(lacking, MOST_NAMES)} are not known, so the effects do not "
            "add up: no seed has all of their arms"
        )
    if seeds and max(seeds) < (len(definition.seeds) if given is None else given):
        yield (
            f"the effects are of the {counted(max(seeds), 'seed')} that all arms with a run have, "
            "so that they add up; means and differences of arms are of all the seeds that each has"
        )


def _asked(arm: ArmResult) -> int:
    """How many runs of an arm there should be."""
    return len(arm.runs) + len(arm.failed) + len(arm.missing)


def study_notes(
    definition: Definition, arms: Sequence[ArmResult], finished: Sequence[TrackedRun]
) -> Iterator[str]:
    """What is to be known of a study's seeds, arms, orders, and of its finished runs."""
    yield from seed_notes(definition, arms)
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
            f"the effects and the whole, {definition.gain[1].name!r}, are one family of "
            "comparisons, and the other arms' differences another: each has its own correction"
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
