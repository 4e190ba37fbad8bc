"""Made-up studies: results and details as they are read back from tracked runs, with no run."""

from __future__ import annotations

import math
import uuid
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np
from scipy.special import stdtrit

from mmclf.plots.threshold_curves import ThresholdCurves
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.definition import Definition
from mmclf.studies.design import build_design
from mmclf.studies.design_kinds import Arm
from mmclf.studies.factors import Factor, Level
from mmclf.studies.report.page.document import page, study_plots
from mmclf.studies.report.result.details import ArmDetails, Details, main_arms
from mmclf.studies.report.result.study_result import MAP, ArmResult, EffectResult, Ends, StudyResult
from mmclf.studies.report.tables.study_tables import beside_metrics
from mmclf.studies.statistics.estimates import Estimate
from mmclf.studies.statistics.ratios import Ratio
from mmclf.studies.statistics.verdicts import Difference

LOSSES: Mapping[str, Sequence[str]] = {
    "loss": ["bce", "weighted_bce raw", "weighted_bce sqrt", "weighted_bce log", "focal"]
}
CHANGES: Mapping[str, Sequence[str]] = {
    name: ["before", "after"]
    for name in ("vision", "text", "fusion", "loss", "threshold", "augmentation")
}
LABELS = 18
URL = "http://127.0.0.1:5000/#/experiments/1/runs/"


MARGIN, TEST = 0.005, 794


def estimate(value: float, reach: float = 0.01, seeds: int = 5) -> Estimate:
    """An estimate whose interval reaches so far to both sides, as its seeds do not differ."""
    variance = (reach / float(stdtrit(TEST - 1, 0.975))) ** 2
    return Estimate(value, seeds, 0.0 if seeds > 1 else math.nan, variance, groups=TEST)


def difference(
    value: float, reach: float = 0.01, seeds: int = 5, comparisons: int = 1
) -> Difference:
    """A difference whose own 95 % interval reaches so far to both sides."""
    return Difference(estimate(value, reach, seeds), comparisons, MARGIN)


def gain_of(arm: str) -> float:
    """What the arm of this name is better by than another, in F1; the same at every call."""
    return (zlib.crc32(arm.encode()) % 2001 - 1000) / 25_000


def metrics_of(arm: str, seed: int) -> dict[str, float]:
    """The tracked metrics of a run."""
    chance = np.random.default_rng([zlib.crc32(arm.encode()), seed])
    middle = 0.78 + gain_of(arm)
    metrics = {
        f"test/f1_{kind}{rule}": middle + lower + float(chance.normal(0, 0.004))
        for kind, lower in (("samples", 0.0), ("micro", -0.01), ("macro", -0.1))
        for rule in ("", "_at_0.5", "_fitted")
    }
    metrics |= {
        f"test/f1_label/label {place}": float(np.clip(middle - 0.02 * place, 0, 1))
        for place in range(LABELS)
    }
    metrics["test/map"] = middle + 0.03
    metrics["time/cold_s"] = float(20 + 400 * chance.random() ** 2)
    return metrics


def run_of(arm: str, seed: int, status: str = "FINISHED", error: str | None = None) -> TrackedRun:
    """A tracked run."""
    tags = {
        "mmclf.arm": arm,
        "mmclf.seed": str(seed),
        "mmclf.hardware": "2 x Intel(R) Xeon(R) Processor",
        "mmclf.cold_hardware": "2 x Intel(R) Xeon(R) Processor",
        "mmclf.versions": "python 3.11.2, mmclf 0.1.0, torch 2.12.1, timm 1.0.20",
        "mmclf.commit": "8b2c51c0ffee",
        "mmclf.experiment": "null",
        "mmclf.vision": "resnet18",
        "mmclf.data": "demo",
        "mmclf.samples.test": str(TEST),
    }
    if error is not None:
        tags["mmclf.error"] = error
    return TrackedRun(
        id=uuid.uuid5(uuid.NAMESPACE_OID, f"{arm} {seed}").hex,
        name=f"{arm}, seed={seed}",
        status=status,
        started_ms=1_760_000_000_000 + seed,
        parent="f" * 32,
        tags=tags,
        params={},
        metrics=metrics_of(arm, seed) if status == "FINISHED" else {},
    )


def result(
    design: str = "one_at_a_time",
    factors: Mapping[str, Sequence[str]] = LOSSES,
    *,
    seeds: int = 5,
    failed: Mapping[tuple[str, int], str] | None = None,
    missing: Collection[tuple[str, int]] = (),
    **given: Any,
) -> StudyResult:
    """A study of the factors' levels; `given` stands for fields of its definition, and notes."""
    notes = given.pop("notes", ())
    named = [
        Factor(name, tuple(Level(level, (f"{name}={level}",)) for level in levels))
        for name, levels in factors.items()
    ]
    laid = build_design(design, named, None, 32)
    definition = _definition(design, factors, laid.arms, seeds) | {
        "baseline": laid.baseline,
        "effects": laid.effects,
    }
    whole = Definition(**definition | given)
    arms = [_arm(whole, arm, failed or {}, missing) for arm in whole.arms]
    by_name = {arm.name: arm for arm in arms}
    effects = tuple(
        EffectResult(effect.name, effect.weights, _contrast(by_name, whole.metric, effect.weights))
        for effect in whole.effects
    )
    compared = tuple(_compared(whole, arm, by_name) for arm in arms)
    parent, ends = run_of("parent", 0), None
    start, end = arms[0].score, arms[-1].score
    if whole.gain is not None and start is not None and end is not None:
        ends = Ends(start, end)
    return StudyResult(whole, parent, compared, effects, tuple(notes), ends)


def details(
    study: StudyResult, labels: int = LABELS, epochs: int = 12, thresholds: int = 49
) -> Details:
    """Details of the study's main arms."""
    shares = np.geomspace(0.7, 0.006, labels)
    return Details(
        arms={
            arm.name: _details(arm, epochs, np.linspace(0, 1, thresholds + 2)[1:-1])
            for arm in main_arms(study)
        },
        label_names=tuple(f"label {place}" for place in range(labels)),
        label_keys=tuple(f"label {place}" for place in range(labels)),
        label_shares={"train": shares, "val": shares * 1.1, "test": shares * 0.95},
        sizes={"train": 6403, "val": 803, "test": TEST},
        runs_url=URL,
    )


def page_of(study: StudyResult, shown: Details | None) -> str:
    """The page of a study."""
    return page(study, shown, study_plots(study, shown))


def _definition(
    design: str, factors: Mapping[str, Sequence[str]], arms: tuple[Arm, ...], seeds: int
) -> dict[str, Any]:
    return {
        "name": "loss",
        "question": "Which loss gives the best F1, at its own threshold and one fitted for each?",
        "design": design,
        "metric": "test/f1_samples",
        "seeds": tuple(range(seeds)),
        "factors": {name: list(levels) for name, levels in factors.items()},
        "arms": arms,
        "command": "mmclf study=loss data=demo",
        "data": "b6b9f1c2d3e4",
    }


def _arm(
    definition: Definition,
    arm: Arm,
    failed: Mapping[tuple[str, int], str],
    missing: Collection[tuple[str, int]],
) -> ArmResult:
    places = [(arm.name, seed) for seed in definition.seeds]
    done = tuple(run_of(*place) for place in places if place not in {*failed, *missing})
    values = [run.metrics[definition.metric] for run in done]
    return ArmResult(
        name=arm.name,
        levels=arm.levels,
        runs=done,
        failed=tuple(
            run_of(*place, "FAILED", failed[place]) for place in places if place in failed
        ),
        missing=tuple(seed for name, seed in places if (name, seed) in missing),
        score=estimate(fmean(values), 0.012, len(values)) if values else None,
        difference=None,
    )


def _compared(definition: Definition, arm: ArmResult, arms: Mapping[str, ArmResult]) -> ArmResult:
    if arm.name == definition.baseline:
        return arm
    weights = {arm.name: 1.0, definition.baseline: -1.0}
    contrast = _contrast(arms, definition.metric, weights)
    if contrast is None:
        return arm
    beside = {key: contrast for key in beside_metrics(definition).values() if key != MAP}
    return replace(arm, difference=contrast, beside=beside, time_ratio=Ratio(1.5, 1.2, 1.9))


def _contrast(
    arms: Mapping[str, ArmResult], metric: str, weights: Mapping[str, float]
) -> Difference | None:
    if any(not arms[name].runs for name in weights):
        return None
    value = sum(weight * arms[name].mean(metric) for name, weight in weights.items())
    return difference(value, 0.012, min(len(arms[name].runs) for name in weights))


def _details(arm: ArmResult, epochs: int, thresholds: np.ndarray[Any, Any]) -> ArmDetails:
    seeds = range(len(arm.runs))
    top = 0.78 + gain_of(arm.name)
    losses, scores = [], []
    for seed in seeds:
        # Some seeds stop earlier than others.
        steps = range(1, epochs + 1 - seed % 3)
        losses.append(tuple((step, 0.1 + 0.4 / step + 0.004 * seed) for step in steps))
        scores.append(tuple((step, top - 0.3 / step - 0.005 * seed) for step in steps))
    history = {
        "train/loss": tuple(tuple((step, 0.8 * one) for step, one in of) for of in losses),
        "val/loss": tuple(losses),
        "train/f1_samples": tuple(tuple((step, one + 0.05) for step, one in of) for of in scores),
        "val/f1_samples": tuple(scores),
    }
    bumps = np.stack([top - (thresholds - 0.4) ** 2 - 0.006 * seed for seed in seeds])
    return ArmDetails(
        history=history,
        by_threshold=ThresholdCurves(
            thresholds, bumps + 0.01, bumps, tuple(0.38 + 0.02 * seed for seed in seeds)
        ),
    )
