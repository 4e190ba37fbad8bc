"""What a parent run says of its runs: tags for MLflow's table, a description for its page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from mmclf.plots.words import NO_VALUE, counted, points
from mmclf.storage.tracking import NOTE, TrackedRun
from mmclf.storage.tracking.pages import children_page, comparison_page, run_page
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.safe_text import markdown_text
from mmclf.studies.report.words.answer import answer
from mmclf.studies.report.words.markdown import as_text

SWEEP_METRIC = "test/f1_samples"
MOST_ARMS = 20  # in a description
MOST_COMPARED = 10  # runs on a page of MLflow's


@dataclass(frozen=True)
class SummedArm:
    """An arm: its finished runs, how many there should be, and the mean of the metric."""

    name: str
    runs: Sequence[TrackedRun]
    planned: int
    mean: float


def study_tags(result: StudyResult, experiment: str) -> dict[str, str]:
    """The tags of a study's parent run, in the experiment with this id."""
    definition, metric = result.definition, result.definition.metric
    arms = [
        SummedArm(
            arm.name,
            arm.runs,
            len(arm.runs) + len(arm.failed) + len(arm.missing),
            arm.mean(metric),
        )
        for arm in result.arms
    ]
    best = None if result.best is None else result.best.name
    heading = [f"**{as_text(definition.question)}**", as_text(answer(result).headline)]
    tags = {"mmclf.baseline": definition.baseline}
    ascending = definition.deciding.metric.sign < 0
    page = children_page(experiment, result.parent.id, metric, ascending=ascending)
    return tags | _tags(arms, best, heading, metric, experiment, page)


def sweep_tags(parent: str, runs: Iterable[TrackedRun], experiment: str) -> dict[str, str]:
    """The tags of a sweep's parent run: the runs of one arm differ in their seeds alone."""
    by_arm: dict[str, list[TrackedRun]] = {}
    for run in runs:
        by_arm.setdefault(run.tags.get("mmclf.arm", run.name), []).append(run)
    arms = []
    for name, own in by_arm.items():
        finished = [run for run in own if run.status == "FINISHED"]
        values = [run.metrics.get(SWEEP_METRIC, math.nan) for run in finished]
        arms.append(SummedArm(name, finished, len(own), fmean(values) if values else math.nan))
    known = [arm for arm in arms if not math.isnan(arm.mean)]
    best = max(known, key=lambda arm: arm.mean, default=None)
    page = children_page(experiment, parent, SWEEP_METRIC)
    return _tags(arms, None if best is None else best.name, [], SWEEP_METRIC, experiment, page)


def _tags(
    arms: Sequence[SummedArm],
    best: str | None,
    heading: Sequence[str],
    metric: str,
    experiment: str,
    page: str,
) -> dict[str, str]:
    finished, planned = sum(len(arm.runs) for arm in arms), sum(arm.planned for arm in arms)
    tags = {"mmclf.arms": str(len(arms)), "mmclf.finished": f"{finished} of {planned}"}
    means = {arm.name: arm.mean for arm in arms}
    words = f"{counted(len(arms), 'arm')}, {finished} of {counted(planned, 'run')} finished."
    if best is not None:
        tags |= {"mmclf.best_arm": best, "mmclf.best_mean": f"{means[best]:.4f}"}
        words += f" Best arm: **{as_text(best)}**, {metric} {_points(means[best])}."
    compared = [arm.runs[0].id for arm in arms if arm.runs][:MOST_COMPARED]
    links = [f"[All runs, best first]({page})"] if finished else []
    if len(compared) > 1:
        links.insert(0, f"[Compare the arms]({comparison_page(experiment, compared)})")
    # The links first: MLflow shows the beginning of a description, and fades the rest.
    parts = [" · ".join(links), *heading, words, _table(arms, metric, experiment)]
    return tags | {NOTE: "\n\n".join(part for part in parts if part)}


def _table(arms: Sequence[SummedArm], metric: str, experiment: str) -> str:
    """The arms, the first ones, with links to their runs: in Markdown."""
    lines = [f"| Arm | {metric}, points | Runs |", "| --- | ---: | --- |"]
    for arm in arms[:MOST_ARMS]:
        links = [f"[{_seed(run.tags)}]({run_page(experiment, run.id)})" for run in arm.runs[:1]]
        more = f" and {len(arm.runs) - 1} more" if len(arm.runs) > 1 else ""
        runs = f"{links[0]}{more}" if links else NO_VALUE
        lines.append(f"| {markdown_text(as_text(arm.name))} | {_points(arm.mean)} | {runs} |")
    if len(arms) > MOST_ARMS:
        lines.append(f"| and {len(arms) - MOST_ARMS} more | | |")
    return "\n".join(lines)


def _seed(tags: Mapping[str, str]) -> str:
    return f"seed {as_text(tags.get('mmclf.seed', NO_VALUE))}"


def _points(value: float) -> str:
    return NO_VALUE if math.isnan(value) else points(value, signed=False)
