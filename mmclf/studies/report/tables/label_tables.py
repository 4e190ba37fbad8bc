"""The tables of labels: all differences, and the few that are shown to cost or bring most."""

from __future__ import annotations

import math

import pandas as pd

from mmclf.studies.report.result.read_labels import LabelResult
from mmclf.studies.statistics.estimates import ALPHA
from mmclf.studies.statistics.label_tests import LabelDifference

MOST = 5  # labels that lose, and as many that gain
NAN = math.nan


def labels_table(labels: LabelResult) -> pd.DataFrame:
    """A row an arm and label: both F1, their difference with its own interval, and p.

    The difference is nan where the label has too few positives.
    """
    return pd.DataFrame([_row(labels, of) for of in labels.differences])


def shown_labels_table(labels: LabelResult) -> pd.DataFrame:
    """Of the rows whose adjusted p is below 0.05 those that lose most, then that gain most."""
    table = labels_table(labels)
    shown = table[table["p (BH)"] < ALPHA].sort_values("Difference", kind="stable")
    losing, gaining = shown[shown["Difference"] < 0], shown[shown["Difference"] > 0]
    return pd.concat([losing.head(MOST), gaining.tail(MOST)]).reset_index(drop=True)


def _row(labels: LabelResult, of: LabelDifference) -> dict[str, object]:
    difference = of.estimate
    value, reach = (NAN, NAN) if difference is None else (difference.value, difference.reach(ALPHA))
    return {
        "Arm": of.arm,
        "Label": labels.names[of.label],
        "Positives": of.positives,
        "Baseline F1": of.baseline_f1,
        "F1": of.f1,
        "Difference": value,
        "Diff. low": value - reach,
        "Diff. high": value + reach,
        "p": of.p,
        "p (BH)": of.p_adjusted,
    }
