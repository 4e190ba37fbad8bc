"""Several captions of one image: the first, all joined, or each as a text of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CaptionUse = Literal["first", "join", "each"]


@dataclass(frozen=True)
class UsedCaptions:
    """The captions of N samples as `Samples` holds them.

    Args:
        captions: one of each sample, empty for a sample without one.
        others: of each sample those after the first, for `each`; empty if no sample has any.
        notes: for people, what was left out.

    """

    captions: tuple[str, ...]
    others: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def use_captions(captions: Sequence[Sequence[str]], use: CaptionUse) -> UsedCaptions:
    """What becomes of the captions of each sample, in their order."""
    if use == "join":
        return UsedCaptions(tuple(" ".join(filter(None, own)) for own in captions), (), ())
    first = tuple(own[0] if own else "" for own in captions)
    others = tuple(tuple(own[1:]) for own in captions)
    count, samples = sum(map(len, others)), sum(map(bool, others))
    if count == 0:
        return UsedCaptions(first, (), ())
    if use == "each":
        return UsedCaptions(first, others, ())
    note = (
        f"{count} captions after the first of {samples} samples were left out: "
        "data.caption_use=join or each takes them"
    )
    return UsedCaptions(first, (), (note,))
