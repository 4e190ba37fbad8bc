"""Any two tracked runs beside each other, as a study of two arms with one run each."""

from __future__ import annotations

from dataclasses import replace

from mmclf.errors import InputError
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.design_kinds import Arm, Effect
from mmclf.studies.report.result.collect import study_result
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.run_key import RunKey, run_key

SHOWN = 8  # digits of an id


def compare(tracker: Tracker, first: TrackedRun, second: TrackedRun) -> StudyResult:
    """The second run's difference to the first one's.

    Raises InputError for a run that has not finished, and for runs of different data or test sets.
    """
    for run in (first, second):
        if run.status != "FINISHED" or "mmclf.seed" not in run.tags:
            raise InputError(
                f"run {run.id} ({run.name}, {run.status}) cannot be compared, expected a finished "
                "run that has trained a model: `mmclf runs` lists the runs"
            )
    if first.id == second.id:
        raise InputError(f"run {first.id} is given twice, expected two runs")
    names = [f"{run.name} ({run.id[:SHOWN]})" for run in (first, second)]
    arms = tuple(Arm(name, {"run": name}, ()) for name in names)
    definition = Definition(
        name=f"compare-{first.id[:SHOWN]}-{second.id[:SHOWN]}",
        question=f"How does {second.name} differ from {first.name}?",
        design="grid",
        metric="test/f1_samples",
        baseline=names[0],
        # Of two seeds the first stands for both, as a run is compared with a run.
        seeds=(_seed_of(first),),
        factors={"run": names},
        arms=arms,
        effects=(Effect(names[1], {names[1]: 1.0, names[0]: -1.0}),),
        command=f"mmclf report --compare {first.id} {second.id}",
        data=first.tags.get("mmclf.data_digest", ""),
    )
    runs = {
        RunKey(name, _seed_of(first)): run for name, run in zip(names, (first, second), strict=True)
    }
    result = study_result(tracker, definition, first, runs)
    lost = [run.tags["mmclf.error"] for arm in result.arms for run in arm.failed]
    if lost:
        raise InputError(*lost)
    if result.arms[1].score is None:
        raise InputError(
            f"the runs {first.id} and {second.id} have different test sets, and cannot be "
            "compared: give runs of the same data and the same split.test_seed"
        )
    if _seed_of(first) != _seed_of(second):
        result = replace(result, notes=(_different_seeds(first, second), *result.notes))
    return result


def _seed_of(run: TrackedRun) -> int:
    """The seed that a run was made with."""
    return run_key(run).seed


def _different_seeds(first: TrackedRun, second: TrackedRun) -> str:
    return (
        f"the runs have different seeds, {_seed_of(first)} and {_seed_of(second)}: part of the "
        "difference is theirs, and no interval here holds it; give runs of the same seed"
    )
