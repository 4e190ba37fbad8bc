"""Prints a study's plan: its arms, its finished runs, the time, and what would be shown."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from rich.console import Console

from mmclf.cli.plan_power import power_lines
from mmclf.cli.plan_times import PlannedArm, arms_table, time_lines
from mmclf.config.schema import Config
from mmclf.errors import NothingTrackedError, printable
from mmclf.evaluation.metrics import deciding_metric
from mmclf.pipeline.artifacts import DATA_DIGITS
from mmclf.pipeline.image_size import resolved
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stages import data_digest
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage.store.remote import Remote
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.arms import PlannedStudy
from mmclf.studies.definition import Definition
from mmclf.studies.design_kinds import design_kind
from mmclf.studies.earlier import HeldOut, earlier
from mmclf.studies.fingerprint import study_fingerprint
from mmclf.studies.looks import fetch_looks
from mmclf.studies.parent import find_parent
from mmclf.studies.pending import finished
from mmclf.studies.report.result.variances import assumed, earlier_variances
from mmclf.studies.report.tables.rendering import print_rich, render
from mmclf.studies.rounds import plan_in_words, seeds_at_most
from mmclf.studies.run import study_definition
from mmclf.studies.time_estimate import TimeEstimate, TimeEstimator, overhead
from mmclf.training.hardware import describe_device


def print_plan(planned: PlannedStudy, remote: Remote | None) -> None:
    """Print the plan of a study, which has this remote store."""
    config = planned.base.config
    tracker = _tracker(config)
    fingerprint = study_fingerprint(planned)
    parent = None if tracker is None else find_parent(tracker, planned, fingerprint)
    definition = study_definition(planned, "", "")
    seeds = _seeds(definition, tracker, parent)
    runs = tracker.runs() if tracker is not None else []
    done = _done(seeds, runs, parent)
    hardware = describe_device(config.device)
    estimator = TimeEstimator(config, hardware, remote)
    beside = overhead(runs, hardware, fingerprint.data[:DATA_DIGITS])
    total = TimeEstimate()
    arms = _arms(planned, seeds, done, estimator, total)
    title = printable(f"{planned.name}: {planned.study.question}")
    table = arms_table(arms, beside)
    console = Console()
    if console.is_terminal:
        print_rich(table, console, title, spare=("Overrides",))
    else:
        sys.stdout.write(f"{title}\n\n{render(table, 'text')}")
    most = sum(map(len, seeds.values()))
    at_most = "at most " if planned.study.until == "decided" else ""
    sys.stdout.write(f"\nruns: {len(done)} of {at_most}{most} done, {most - len(done)} left\n")
    lines = time_lines(total, most - len(done), beside, shares=config.cache == "on")
    sys.stdout.write("\n".join([*lines, ""]))
    if definition.plan is not None:
        sys.stdout.write("\n".join([*plan_in_words(definition), ""]))
    data = estimator.run_data(resolved(config))
    sys.stdout.write(_outlook(planned, data, fingerprint.data, tracker, runs))


def _tracker(config: Config) -> Tracker | None:
    """The tracker, or None if nothing has been tracked yet: a plan creates no database."""
    try:
        return tracker_of(config)
    except NothingTrackedError:
        return None


def _seeds(
    definition: Definition, tracker: Tracker | None, parent: TrackedRun | None
) -> dict[str, tuple[int, ...]]:
    """The seeds of each arm; where the study stops when decided, those that it may come to."""
    if definition.plan is None:
        return {arm.name: definition.seeds for arm in definition.arms}
    looks = None if tracker is None or parent is None else fetch_looks(tracker, parent)
    most = seeds_at_most(definition, looks)
    return {arm: definition.seeds[:count] for arm, count in most.items()}


def _done(
    seeds: Mapping[str, Collection[int]], runs: Sequence[TrackedRun], parent: TrackedRun | None
) -> set[tuple[str, int]]:
    """The arms and seeds of the study whose runs have finished, of all that are tracked."""
    if parent is None:
        return set()
    completed = finished([run for run in runs if run.parent == parent.id])
    return {(arm, seed) for arm, seed in completed if seed in seeds.get(arm, ())}


def _arms(
    planned: PlannedStudy,
    seeds: Mapping[str, Collection[int]],
    done: Collection[tuple[str, int]],
    estimator: TimeEstimator,
    total: TimeEstimate,
) -> list[PlannedArm]:
    """Each arm with what its missing runs need beyond the arms before; adds all to `total`."""
    arms = []
    for arm, composed in zip(planned.design.arms, planned.arms, strict=True):
        own = TimeEstimate()
        left = [seed for seed in seeds[arm.name] if (arm.name, seed) not in done]
        for seed in left:
            if estimator.add(replace(composed.config, seed=seed), own) is None:
                own.unknown_runs += 1
        runs = len(seeds[arm.name])
        arms.append(PlannedArm(arm.name, arm.overrides, runs, len(left), own.beyond(total)))
        total.merge(own)
    return arms


def _outlook(
    planned: PlannedStudy,
    data: RunData,
    digest: str,
    tracker: Tracker | None,
    runs: Sequence[TrackedRun],
) -> str:
    """What the study would show, and what has been compared on its test set before."""
    study, samples = planned.study, len(data.parts.test)
    variances = None
    if tracker is not None:
        variances = earlier_variances(tracker, planned.name, study.metric, digest)
    adds_up = design_kind(study.design).adds_up
    lines = power_lines(
        variances or assumed(samples),
        comparisons=len(planned.design.effects) + 1 if adds_up else len(planned.design.arms) - 1,
        samples=samples,
        margin=study.margin,
        unit=f"{deciding_metric(study.metric).metric.short} points",
    )
    test_seed = str(planned.base.config.split.test_seed)
    test_set = HeldOut(data_digest(data.samples)[:DATA_DIGITS], test_seed)
    lines.append(f"on the same test samples so far: {earlier(runs, test_set).words()}")
    return "\n".join(["", *lines, ""])
