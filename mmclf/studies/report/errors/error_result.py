"""What a study's page shows of errors: samples with their pictures, pairs of labels, odd labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ShownSample:
    """A sample of the test set.

    Args:
        id: of the sample.
        captions: all of them; none where they are not at hand.
        labels: that it has, by name.
        probability: of the label in question, the mean over seeds.
        picture: as an address that holds it; None where there is none.

    """

    id: str
    captions: Sequence[str]
    labels: Sequence[str]
    probability: float
    picture: str | None = None


@dataclass(frozen=True)
class ShownLabel:
    """A costly label: its cost in samples-F1 (a share), its errors, and the worst of them."""

    name: str
    cost: float
    false_positive_count: int
    false_negative_count: int
    false_positives: Sequence[ShownSample]
    false_negatives: Sequence[ShownSample]


@dataclass(frozen=True)
class ShownPair:
    """`count` samples lack the label `missed` and got `instead`, of `missed_count` that lack it."""

    missed: str
    instead: str
    count: int
    missed_count: int


@dataclass(frozen=True)
class ShownOdd:
    """A sample whose label looks wrong: it `is_given` against each seed, or the reverse."""

    label: str
    is_given: bool
    sample: ShownSample


@dataclass(frozen=True)
class ErrorResult:
    """The errors of an arm over its seeds on N test samples.

    `notes` say in a line each what could not be shown.
    """

    arm: str
    seeds: int
    samples: int
    labels: Sequence[ShownLabel]
    pairs: Sequence[ShownPair]
    odd: Sequence[ShownOdd]
    notes: Sequence[str]

    def shown(self) -> Iterator[ShownSample]:
        """All samples that are shown."""
        for label in self.labels:
            yield from (*label.false_positives, *label.false_negatives)
        yield from (odd.sample for odd in self.odd)
