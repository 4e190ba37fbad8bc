"""How often each label stands in each part of the split, and what is odd about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmclf.data.checks.check import Verdict
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, label_shares

FEW = 10  # positives in training; below, what a model learns of a label is chance
MOST_APART = 2.0  # times the share in train


@dataclass(frozen=True)
class LabelRow:
    """A label's positives in all samples and by part, and its share of each part's samples."""

    id: str
    name: str
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """The share in `val` and `test` by that in `train`; none if training has no such label."""
        train = self.shares.get("train", 0.0)
        return {
            part: share / train
            for part, share in self.shares.items()
            if part != "train" and train > 0
        }

    @property
    def apart(self) -> tuple[str, float] | None:
        """The part whose ratio is the furthest from 1 (a half as far as 2), and that ratio."""
        found = self.ratios
        worst = max(found, key=lambda part: distance(found[part]), default=None)
        return (worst, found[worst]) if worst is not None else None

    @property
    def is_absent(self) -> bool:
        """Whether no training sample has the label."""
        return self.counts.get("train") == 0

    @property
    def is_rare(self) -> bool:
        """Whether a few training samples have it."""
        return 0 < self.counts.get("train", 0) < FEW

    @property
    def remark(self) -> tuple[Verdict, str]:
        """What is to be said of the label, nothing if all is well."""
        if self.is_absent:
            return "problem", "none in training"
        odd = []
        if self.is_rare:
            odd.append(f"fewer than {FEW} in training")
        if self.apart is not None and distance(self.apart[1]) > MOST_APART:
            odd.append(f"out of balance in {self.apart[0]}")
        return ("note" if odd else "ok"), ", ".join(odd)


def distance(ratio: float) -> float:
    """How far a ratio is from 1: itself, or its inverse if that is more."""
    return max(ratio, 1 / ratio) if ratio > 0 else float("inf")


def label_rows(samples: Samples, parts: Parts | None) -> tuple[LabelRow, ...]:
    """A row for each label, in the samples' order; without parts its total alone."""
    totals = samples.labels.sum(axis=0, dtype=int)
    named = zip(samples.label_ids, samples.label_names, totals.tolist(), strict=True)
    if parts is None:
        return tuple(LabelRow(*one) for one in named)
    counts = {name: samples.labels[rows].sum(axis=0, dtype=int) for name, rows in parts.items()}
    shares = label_shares(samples.labels, parts)
    return tuple(
        LabelRow(
            *one,
            {part: int(values[j]) for part, values in counts.items()},
            {part: float(values[j]) for part, values in shares.items()},
        )
        for j, one in enumerate(named)
    )
