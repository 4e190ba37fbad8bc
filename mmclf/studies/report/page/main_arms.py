"""The charts of the baseline and the best other arm, and of the labels and the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmclf.plots.label_scores import label_scores_figure
from mmclf.plots.label_shares import label_shares_figure
from mmclf.plots.learning_curves import learning_curves_figure
from mmclf.plots.threshold_curves import threshold_curves_figure
from mmclf.plots.words import counted, listed, quoted, score
from mmclf.studies.report.details import ArmDetails, Details, Floats, main_arms
from mmclf.studies.report.page.naming import short_name
from mmclf.studies.report.page.parts import figure
from mmclf.studies.report.results import ArmResult, StudyResult

PARTS = ("train", "val", "test")
RARE = 0.02  # of the training samples
MOST_LABELS = 60


def label_chart(result: StudyResult, details: Details) -> str:
    """The F1 of each label of the main arms; empty if none has any."""
    arms = _main_arms(result, details)
    order, left_out = _by_frequency(details)
    keys = [f"test/f1_label/{details.label_keys[place]}" for place in order]
    scores = {arm.name: np.asarray([arm.mean(key) for key in keys]) for arm in arms}
    scores = {name: values for name, values in scores.items() if np.isfinite(values).any()}
    arms = [arm for arm in arms if arm.name in scores]
    if not arms:
        return ""
    means = [f"{quoted(name)} {score(float(np.nanmean(of)))}" for name, of in scores.items()]
    shown = {short_name(result, name): values for name, values in scores.items()}
    return figure(
        "label-scores",
        label_scores_figure([_with_share(details, place) for place in order], shown),
        "F1 of each label",
        f"{_who(result, arms)}; means over seeds, the most frequent label first. Rare labels, on "
        f"fewer than {100 * RARE:g} % of the training samples, are marked: few samples make their "
        f"F1 unsure.{left_out}",
        f"{counted(len(order), 'label')}; means over them: {listed(means)}.",
    )


def threshold_chart(result: StudyResult, details: Details) -> str:
    """F1 against the threshold of the main arms; empty without predictions."""
    arms = [arm for arm in _main_arms(result, details) if details.arms[arm.name].test_f1.size]
    if not arms:
        return ""
    of = {arm.name: details.arms[arm.name] for arm in arms}
    own = [quoted(name) for name, one in of.items() if None in one.chosen]
    shown = {short_name(result, name): one for name, one in of.items()}
    per_label = f" {listed(own)}: a threshold for each label." if own else ""
    return figure(
        "threshold-curves",
        threshold_curves_figure(
            {name: one.thresholds for name, one in shown.items()},
            {name: one.val_f1 for name, one in shown.items()},
            {name: one.test_f1 for name, one in shown.items()},
            {name: one.chosen for name, one in shown.items()},
        ),
        "F1 and the threshold",
        f"{_who(result, arms)}; one threshold for all labels, means over seeds within the band "
        "from the lowest to the highest. Marks are the thresholds that the runs used, chosen "
        f"without a look at test.{per_label}",
        " ".join(_highest(name, one) for name, one in of.items()),
    )


def _highest(name: str, arm: ArmDetails) -> str:
    mean = arm.test_f1.mean(axis=0)
    place = int(np.argmax(mean))
    return (
        f"{quoted(name)} is highest on test at the threshold {arm.thresholds[place]:.2f}, with "
        f"{score(float(mean[place]))}."
    )


def learning_chart(result: StudyResult, details: Details) -> str:
    """Loss and F1 over the epochs of the main arms; empty without a history."""
    arms = [arm for arm in _main_arms(result, details) if _epochs(details.arms[arm.name])]
    if not arms:
        return ""
    told = [
        f"{counted(_epochs(details.arms[arm.name]), 'epoch')} of {quoted(arm.name)}" for arm in arms
    ]
    return figure(
        "learning-curves",
        learning_curves_figure(
            {short_name(result, arm.name): details.arms[arm.name].history for arm in arms}
        ),
        "Learning curves",
        f"{_who(result, arms)}; train dotted, val solid, means over the seeds that got as far, "
        "within the band from the lowest to the highest. Losses of different kinds have different "
        "scales.",
        f"Loss and samples-F1 of train and val over {listed(told)}.",
    )


def _epochs(arm: ArmDetails) -> int:
    return max((len(curve) for curves in arm.history.values() for curve in curves), default=0)


def shares_chart(details: Details) -> str:
    """Each label's share of the parts of the split; empty if it is not known."""
    order, left_out = _by_frequency(details)
    shares = _in_order(details.label_shares, order)
    if not order or not shares:
        return ""
    every = 100 * np.concatenate(list(shares.values()))
    return figure(
        "label-shares",
        label_shares_figure([details.label_names[place] for place in order], shares),
        "The split",
        f"Each label's share of the samples of {listed(list(shares))}, on a logarithmic axis. "
        f"In a stratified split, the marks of a label lie on each other.{left_out}",
        f"{counted(len(order), 'label')}, on {every.min():.2f} % to {every.max():.2f} % of the "
        "samples of a part.",
    )


def _in_order(shares: Mapping[str, Floats], order: Sequence[int]) -> dict[str, Floats]:
    return {part: np.asarray(shares[part])[order] for part in PARTS if part in shares}


def _main_arms(result: StudyResult, details: Details) -> list[ArmResult]:
    """The main arms that there are details of."""
    return [arm for arm in main_arms(result) if arm.name in details.arms]


def _who(result: StudyResult, arms: Sequence[ArmResult]) -> str:
    names = [quoted(arm.name) for arm in arms]
    if len(names) == 1:
        return names[0]
    if result.best is not None and result.best.name == arms[0].name:
        return (
            f"The baseline {names[0]}, which has the highest mean, and the best of the other arms, "
            f"{names[1]}"
        )
    return f"The baseline {names[0]} and the arm with the highest mean, {names[1]}"


def _by_frequency(details: Details) -> tuple[list[int], str]:
    """Labels by their share of train, the most frequent first, and which of many are left out."""
    shares = details.label_shares.get("train", np.zeros(len(details.label_names)))
    order = [int(place) for place in np.argsort(-np.asarray(shares), kind="stable")]
    if len(order) <= MOST_LABELS:
        return order, ""
    half = MOST_LABELS // 2
    told = f" Of {len(order)} labels, the {half} most frequent and the {half} rarest."
    return order[:half] + order[-half:], told


def _with_share(details: Details, place: int) -> str:
    name = details.label_names[place]
    shares = details.label_shares.get("train")
    if shares is None or shares[place] >= RARE:
        return name
    return f"{name} (rare, {100 * shares[place]:.1f} %)"
