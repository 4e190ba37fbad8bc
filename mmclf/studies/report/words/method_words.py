"""How a study's intervals and verdicts were made, as a paragraph that a paper can have."""

from __future__ import annotations

from mmclf.plots.words import counted, listed, points, quoted
from mmclf.studies.report.result.read_scores import RESAMPLES
from mmclf.studies.report.result.study_result import StudyResult, distinct
from mmclf.studies.statistics.estimates import ALPHA, Estimate

MODEL = (
    "A difference on seed s is modelled as d_s = δ + a_s + t + i_s: the true difference δ, the "
    "seed's part a_s, that of the draw of the test samples t, which all seeds share, and their "
    "interaction i_s, random with mean 0. Its estimate is the mean D over the S seeds, with the "
    "variance b + v: b = s²/S, s² the variance of the d_s, and v the mean covariance of two seeds' "
    "differences"
)
P_VALUE = (
    "p is the generalised p-value E[2Φ(-|D| / √(b(S-1)/X + v(G-1)/Y))], X and Y chi-squared with "
    "S-1 and G-1 degrees of freedom (Tsui and Weerahandi 1989), and an interval holds what p does "
    "not reject."
)


CONDITION = (
    "This is conditional on one pool of training samples, which each seed divides anew into "
    "training and validation samples where the data has no division of its own: another pool may "
    "give other differences. The test samples are one draw, and the intervals hold by how much "
    "others of its size would differ."
)


def method_paragraph(result: StudyResult) -> str:
    """The model in words and formulas, what it is conditional on, comparisons and versions."""
    sentences = [
        _runs(result),
        *_model(result),
        *(_family(result) if result.looks is None else _looks(result)),
        CONDITION,
        *_versions(result),
    ]
    return " ".join(sentences)


def _runs(result: StudyResult) -> str:
    definition = result.definition
    seeds = listed([str(seed) for seed in definition.seeds])
    ran = "were run, each" if len(result.arms) > 1 else "was run"
    ran += " at most" if result.looks is not None else ""
    return (
        f"{counted(len(result.arms), 'arm')} {ran} with "
        f"{counted(len(definition.seeds), 'seed')} ({seeds}) and scored by "
        f"{definition.deciding.words}{_samples(result)}; arms are compared with "
        f"{quoted(definition.baseline)}, paired by seed and test sample."
    )


def _samples(result: StudyResult) -> str:
    """How many test samples there are, and in how many groups, as far as that is known."""
    sizes = distinct([run for arm in result.arms for run in arm.runs], "mmclf.samples.test")
    score = _a_score(result)
    if score is None or score.groups is None:
        return ""
    if sizes == [str(score.groups)]:
        return f" ({score.groups} samples)"
    of = f"{max(map(int, sizes))} samples in " if sizes else ""
    return f" ({of}{score.groups} groups of samples that belong together)"


def _a_score(result: StudyResult) -> Estimate | None:
    return next((arm.score for arm in result.arms if arm.score is not None), None)


def _model(result: StudyResult) -> list[str]:
    score = _a_score(result)
    if score is None:
        return []
    drawn = (
        f"over {RESAMPLES:,} bootstrap resamples of the G = {score.groups} test samples, or groups "
        "of them, times G/(G-1) and not below 0."
    )
    more = ""
    if any(len(effect.draws) > 1 for effect in result.definition.effects):
        more = (
            " For Shapley values from sampled orders, v also holds the variance that other orders "
            "would bring."
        )
    return [f"{MODEL} {drawn}{more}", P_VALUE]


def _family(result: StudyResult) -> list[str]:
    """How many comparisons there are, and how they are corrected for."""
    definition = result.definition
    families = [
        [arm.difference for arm in result.arms if arm.difference is not None],
        [effect.difference for effect in result.effects if effect.difference is not None],
    ]
    counts = [max((of.comparisons for of in family), default=0) for family in families]
    if not definition.asks_effects:
        counts = counts[:1]
    adds_up = definition.kind.adds_up
    effects = "effects and their whole" if adds_up else "main effects and interactions"
    named = ["comparisons of arms", f"comparisons of {effects}"]
    made = [f"m = {m} {name}" for m, name in zip(counts, named, strict=False) if m]
    if not made:
        return []
    margin = points(definition.margin, signed=False)
    return [
        f"With {listed(made)}, intervals are of 1 - {ALPHA:g}/m each, so that all hold at once "
        "with 95 % (Bonferroni), and p is multiplied by m. An arm is better or worse where this "
        "interval leaves out 0; else equal where its 90 % interval, not corrected, lies within "
        f"±{margin} {definition.unit} (two one-sided tests at 5 %; Schuirmann 1987); else "
        "undecided, as it always is with one seed."
    ]


def _looks(result: StudyResult) -> list[str]:
    """When effects were looked at, and how they were decided."""
    definition, plan = result.definition, result.definition.plan
    assert plan is not None
    m, margin = len(definition.compared), points(definition.margin, signed=False)
    levels = listed([f"{level:.2g}" for level in plan.levels])
    equality = listed([f"{level:.2g}" for level in plan.equality_levels])
    return [
        f"Looks were planned after {listed(list(map(str, plan.seeds)))} seeds, at m = {m} "
        "comparisons, with O'Brien and Fleming's type of spending (Lan and DeMets 1983). With r "
        f"of them called better or worse, the next is where p is at most the look's level of "
        f"{ALPHA:g}/(m - r), with r = 0 {levels}. One is equal where p of the distance from "
        f"±{margin} {definition.unit} is at most {equality}. One that is unlikely (5 %) to be "
        "called with all seeds gets no more. Intervals are D ± √(t²b + z²v) at the two-sided "
        "level 0.03, of which 95 % hold the expectation whenever they stopped."
    ]


def _versions(result: StudyResult) -> list[str]:
    versions = distinct([run for arm in result.arms for run in arm.runs], "mmclf.versions")
    return [f"Versions: {'; '.join(versions)}."] if versions else []
