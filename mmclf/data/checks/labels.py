"""The frequency of each label in each part of the split, and remarks about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmclf.data.checks.check import CheckStatus
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, label_shares

MIN_POSITIVES = 10  # in training; with fewer, a model learns little about a label
MAX_IMBALANCE = 2.0  # ratio of the shares of two parts


@dataclass(frozen=True)
class LabelRow:
    """The counts of a label.

    Args:
        id: in the data source.
        name: of the label.
        total: number of its positives in all samples.
        counts: number of its positives by part.
        shares: of the samples with it, by part.

    """

    id: str
    name: str
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """The shares in `val` and `test`, divided by that in `train`; empty if that is 0."""
        train = self.shares.get("train", 0.0)
        return {
            part: share / train
            for part, share in self.shares.items()
            if part != "train" and train > 0
        }

    @property
    def least_balanced(self) -> tuple[str, float] | None:
        """The part with the largest imbalance, and its ratio; None if there are no ratios."""
        ratios = self.ratios
        worst = max(ratios, key=lambda part: imbalance(ratios[part]), default=None)
        return (worst, ratios[worst]) if worst is not None else None

    @property
    def is_absent(self) -> bool:
        """Whether no training sample has the label."""
        return self.counts.get("train") == 0

    @property
    def is_rare(self) -> bool:
        """Whether training has positives, but fewer than `MIN_POSITIVES`."""
        return 0 < self.counts.get("train", 0) < MIN_POSITIVES

    @property
    def remark(self) -> tuple[CheckStatus, str]:
        """The label's status, and the reason for it; no reason if it is `ok`."""
        if self.is_absent:
            return "bad", "none in training"
        remarks = []
        if self.is_rare:
            remarks.append(f"fewer than {MIN_POSITIVES} in training")
        lacking = [part for part, count in self.counts.items() if count == 0]
        if lacking:
            remarks.append(f"none in {' and '.join(lacking)}")
        elif self.least_balanced is not None and imbalance(self.least_balanced[1]) > MAX_IMBALANCE:
            remarks.append(f"out of balance in {self.least_balanced[0]}")
        return ("note" if remarks else "ok"), ", ".join(remarks)


def imbalance(ratio: float) -> float:
    """The distance of a ratio from 1: the ratio or its inverse, whichever is larger."""
    return max(ratio, 1 / ratio) if ratio > 0 else float("inf")


def label_rows(samples: Samples, parts: Parts | None) -> tuple[LabelRow, ...]:
    """A row for each label, in the order of `samples.label_ids`; without parts only its total."""
    totals = samples.labels.sum(axis=0, dtype=int)
    identified = zip(samples.label_ids, samples.label_names, totals.tolist(), strict=True)
    if parts is None:
        return tuple(LabelRow(*label) for label in identified)
    counts = {name: samples.labels[rows].sum(axis=0, dtype=int) for name, rows in parts.items()}
    shares = label_shares(samples.labels, parts)
    return tuple(
        LabelRow(
            *label,
            {part: int(values[j]) for part, values in counts.items()},
            {part: float(values[j]) for part, values in shares.items()},
        )
        for j, label in enumerate(identified)
    )
