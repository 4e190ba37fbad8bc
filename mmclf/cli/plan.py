"""The subcommand `plan`: the arms of a study, its finished runs, and an estimate of the time."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import pandas as pd
from rich.console import Console

from mmclf.config.schema import Config
from mmclf.errors import NothingTrackedError
from mmclf.messages import printable
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.arms import PlannedStudy, compose_study
from mmclf.studies.fingerprint import study_fingerprint
from mmclf.studies.pending import finished
from mmclf.studies.report.tables import number, print_rich, render
from mmclf.studies.run import find_parent
from mmclf.studies.time_estimate import TimeEstimate, TimeEstimator
from mmclf.training.hardware import describe_device


def plan(arguments: Sequence[str]) -> int:
    """`mmclf plan study=NAME [OVERRIDE ...]`: print the arms and the remaining time."""
    parser = argparse.ArgumentParser(prog="mmclf plan", description="What a study still needs.")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--config-dir", type=Path, help="a folder of config groups of your own")
    options = parser.parse_intermixed_args(arguments)
    planned = compose_study(options.overrides, options.config_dir)
    config = planned.base.config
    runs = _tracker(config)
    done = _done(planned, runs)
    total = TimeEstimate()
    table = _table(planned, done, total)
    title = printable(f"{planned.name}: {planned.study.question}")
    console = Console()
    if console.is_terminal:
        print_rich(table, console, title)
    else:
        sys.stdout.write(f"{title}\n\n{render(table, 'text')}")
    left = len(planned.arms) * len(planned.study.seed_list) - len(done)
    sys.stdout.write(_summary(planned, left, total, runs))
    return 0


def _tracker(config: Config) -> Tracker | None:
    """The tracker, or None if nothing has been tracked yet: a plan creates no database."""
    location = config.tracking.uri, config.tracking.experiment, Path(config.output_dir)
    try:
        return Tracker(*location, create=False)
    except NothingTrackedError:
        return None


def _done(planned: PlannedStudy, tracker: Tracker | None) -> set[tuple[str, int]]:
    """The arms and seeds of the study whose runs have finished."""
    if tracker is None:
        return set()
    parent = find_parent(tracker, planned, study_fingerprint(planned))
    completed = finished(tracker.children(parent.id)) if parent is not None else set()
    names = {arm.name for arm in planned.design.arms}
    seeds = set(planned.study.seed_list)
    return {(arm, seed) for arm, seed in completed if arm in names and seed in seeds}


def _table(
    planned: PlannedStudy, done: Collection[tuple[str, int]], total: TimeEstimate
) -> pd.DataFrame:
    """A row for each arm; adds what its missing runs need to `total`, which counts it once."""
    estimator = TimeEstimator(planned.base.config, describe_device(planned.base.config.device))
    rows = []
    for arm, composed in zip(planned.design.arms, planned.arms, strict=True):
        own = TimeEstimate()
        left = [seed for seed in planned.study.seed_list if (arm.name, seed) not in done]
        for seed in left:
            config = replace(composed.config, seed=seed)
            stages = estimator.add(config, own)
            if stages is None:
                own.unknown_runs += 1
        total.merge(own)
        rows.append(
            {
                "Arm": arm.name,
                "Overrides": " ".join(arm.overrides),
                "Done": f"{len(planned.study.seed_list) - len(left)} of "
                f"{len(planned.study.seed_list)}",
                "To fit": str(own.count("fit") + own.unknown_runs),
                "To compute (s)": _format_seconds(own),
            }
        )
    return pd.DataFrame(rows)


def _format_seconds(estimate: TimeEstimate) -> str:
    unknown = estimate.unknown + estimate.unknown_runs
    seconds = number(estimate.known, 1)
    if unknown == 0:
        return seconds
    return "unknown" if estimate.known == 0 else f"{seconds} and unknown"


def _summary(planned: PlannedStudy, left: int, total: TimeEstimate, tracker: Tracker | None) -> str:
    overhead = _overhead(tracker)
    seconds = total.known + (0.0 if math.isnan(overhead) else left * overhead)
    run_count = len(planned.arms) * len(planned.study.seed_list)
    lines = [f"runs: {run_count - left} of {run_count} done, {left} left"]
    estimate = f"time left: {number(seconds, 0)} s"
    unknown = total.unknown + total.unknown_runs
    if unknown:
        estimate += f", and {unknown} results whose speed no stored one tells"
    shared = planned.base.config.cache == "on"
    note = "what arms share is counted once" if shared else "with cache=off runs share nothing"
    return "\n".join([*lines, f"{estimate} ({note})", ""])


def _overhead(tracker: Tracker | None) -> float:
    """The median seconds of a run that computes nothing; NaN if no run tells."""
    runs: Sequence[TrackedRun] = tracker.runs() if tracker is not None else ()
    spent = [
        run.metrics["time/wall_s"] - run.metrics["time/cold_s"]
        for run in runs
        if {"time/wall_s", "time/cold_s"} <= run.metrics.keys()
        and run.metrics["time/wall_s"] > run.metrics["time/cold_s"]
    ]
    warm = [
        run.metrics["time/wall_s"]
        for run in runs
        if "time/wall_s" in run.metrics and _computed_nothing(run)
    ]
    return median(warm or spent) if warm or spent else math.nan


def _computed_nothing(run: TrackedRun) -> bool:
    stages = [value for tag, value in run.tags.items() if tag.startswith("mmclf.stage.")]
    return bool(stages) and not any("by this run" in value for value in stages)
