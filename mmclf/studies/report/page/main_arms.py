"""The plots of a study's main arms, the baseline and the best other one, and of its split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mmclf.plots.label_scores import label_scores_figure
from mmclf.plots.label_shares import MOST_LABELS, by_frequency, label_shares_figure
from mmclf.plots.learning_curves import learning_curves_figure
from mmclf.plots.threshold_curves import ThresholdCurves, threshold_curves_figure
from mmclf.plots.words import counted, listed, quoted, score
from mmclf.studies.report.page.plot import Plot, Section
from mmclf.studies.report.result.details import ArmDetails, Details, main_arms
from mmclf.studies.report.result.study_result import ArmResult, StudyResult

RARE = 0.02  # of the training samples


def label_scores_plot(result: StudyResult, details: Details) -> Plot | None:
    """The F1 of each label of the main arms, of those that have any."""
    if not details.label_names:
        return None
    shares = details.label_shares.get("train", np.ones(len(details.label_names)))
    order = by_frequency(shares)
    keys = [f"test/f1_label/{details.label_keys[label]}" for label in order]
    means = [
        (arm, np.asarray([arm.mean(key) for key in keys])) for arm in _main_arms(result, details)
    ]
    scores = [(arm, values) for arm, values in means if np.isfinite(values).any()]
    if not scores:
        return None
    names = [_with_share(details.label_names[label], shares[label]) for label in order]
    overall = [f"{quoted(arm.name)} {score(float(np.nanmean(of)))}" for arm, of in scores]
    return Plot(
        "label-scores",
        Section("labels", "Labels"),
        "F1 of each label",
        f"{_who(result, [arm for arm, _ in scores])}; means over seeds, the most frequent label "
        f"first. Rare labels, on fewer than {100 * RARE:g} % of the training samples, are marked: "
        f"few samples make their F1 unsure.{_left_out(details)}",
        f"{counted(len(order), 'label')}; means over them: {listed(overall)}.",
        label_scores_figure(names, {result.short_name(arm): of for arm, of in scores}),
    )


def threshold_plot(result: StudyResult, details: Details) -> Plot | None:
    """F1 against the threshold of the main arms, of those that have predictions."""
    pairs = [(arm, details.arms[arm.name].by_threshold) for arm in _main_arms(result, details)]
    curves = [(arm, of) for arm, of in pairs if of.test.size]
    if not curves:
        return None
    own = [quoted(arm.name) for arm, of in curves if None in of.chosen]
    per_label = f" {listed(own)}: a threshold for each label." if own else ""
    return Plot(
        "threshold-curves",
        Section("thresholds", "Thresholds"),
        "F1 and the threshold",
        f"{_who(result, [arm for arm, _ in curves])}; one threshold for all labels, means over "
        "seeds within the band from the lowest to the highest. Marks are the thresholds that the "
        f"runs used, chosen without a look at test.{per_label}",
        " ".join(_highest(arm.name, of) for arm, of in curves),
        threshold_curves_figure({result.short_name(arm): of for arm, of in curves}),
    )


def _highest(name: str, curves: ThresholdCurves) -> str:
    mean = curves.test.mean(axis=0)
    best = int(np.argmax(mean))
    return (
        f"{quoted(name)} is highest on test at the threshold {curves.thresholds[best]:.2f}, with "
        f"{score(float(mean[best]))}."
    )


def learning_plot(result: StudyResult, details: Details) -> Plot | None:
    """Loss and F1 over the epochs of the main arms, of those that have a history."""
    of = [(arm, _epochs(details.arms[arm.name])) for arm in _main_arms(result, details)]
    epochs = [(arm, count) for arm, count in of if count]
    if not epochs:
        return None
    lengths = [f"{counted(count, 'epoch')} of {quoted(arm.name)}" for arm, count in epochs]
    return Plot(
        "learning-curves",
        Section("learning", "Learning"),
        "Learning curves",
        f"{_who(result, [arm for arm, _ in epochs])}; train dotted, val solid, means over the "
        "seeds that got as far, within the band from the lowest to the highest. Losses of "
        "different kinds have different scales.",
        f"Loss and samples-F1 of train and val over {listed(lengths)}.",
        learning_curves_figure(
            {result.short_name(arm): details.arms[arm.name].history for arm, _ in epochs}
        ),
    )


def _epochs(arm: ArmDetails) -> int:
    return max((len(curve) for curves in arm.history.values() for curve in curves), default=0)


def label_shares_plot(_result: StudyResult, details: Details) -> Plot | None:
    """Each label's share of the parts of the split, if it is known."""
    if not details.label_names or not details.label_shares:
        return None
    shares = details.label_shares
    order = by_frequency(next(iter(shares.values())))
    percent = 100 * np.concatenate([values[order] for values in shares.values()])
    return Plot(
        "label-shares",
        Section("split", "Data"),
        "The split",
        f"Each label's share of the samples of {listed(list(shares))}. In a stratified split, the "
        f"marks of a label lie at the end of its bar.{_left_out(details)}",
        f"{counted(len(order), 'label')}, on {percent.min():.2f} % to {percent.max():.2f} % of the "
        "samples of a part.",
        label_shares_figure(details.label_names, shares),
    )


def _main_arms(result: StudyResult, details: Details) -> list[ArmResult]:
    """The main arms that there are details of."""
    return [arm for arm in main_arms(result) if arm.name in details.arms]


def _who(result: StudyResult, arms: Sequence[ArmResult]) -> str:
    names = [quoted(arm.name) for arm in arms]
    if len(names) == 1:
        return names[0]
    if arms[0] is result.best:
        return (
            f"The baseline {names[0]}, which has the best mean, and the best of the other arms, "
            f"{names[1]}"
        )
    return f"The baseline {names[0]} and the arm with the best mean, {names[1]}"


def _left_out(details: Details) -> str:
    count, half = len(details.label_names), MOST_LABELS // 2
    if count <= MOST_LABELS:
        return ""
    return f" Of {count} labels, the {half} most frequent and the {half} rarest."


def _with_share(name: str, share: float) -> str:
    return name if share >= RARE else f"{name} (rare, {100 * share:.1f} %)"


# A new plot of the main arms is an entry here.
MAIN_ARMS: Sequence[Callable[[StudyResult, Details], Plot | None]] = (
    label_scores_plot,
    threshold_plot,
    learning_plot,
    label_shares_plot,
)
