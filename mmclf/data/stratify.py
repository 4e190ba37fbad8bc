"""Iterative stratification of groups of samples: each side gets its share of every label.

Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label data, ECML PKDD 2011, with
groups in the place of samples: a group weighs as much as its samples, and has a label as often as
they have it. Where each group is one sample, the result and the draws that it takes are those of
the library iterative-stratification, to the row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mmclf.data.grouped import Grouped, Mask


def stratified(groups: Grouped, share: float, seed: int) -> Mask:
    """Which of G groups are held out (G,): about `share` of the samples, and of each label's.

    Args:
        groups: to divide.
        share: of the samples that are held out, between 0 and 1.
        seed: of the order in which groups are taken, and of what is equally good.

    """
    generator = np.random.RandomState(seed)
    order = np.arange(len(groups))
    generator.shuffle(order)
    # The small ones last, which even out what the large ones leave.
    order = order[np.argsort(-groups.sizes[order], kind="stable")]
    counts, sizes = np.asfortranarray(groups.counts[order]), groups.sizes[order].tolist()
    total = sum(sizes)
    held_samples = math.ceil(share * total)
    shares = np.array([total - held_samples, held_samples]) / total
    unassigned = counts.sum(axis=0, dtype=np.int64)
    # What the kept and the held-out side lack: samples (2,), and positives of each label (2, L).
    samples = (shares * total).tolist()
    positives = np.outer(shares, unassigned)
    is_pending = np.ones(len(groups), dtype=np.bool_)
    held = np.zeros(len(groups), dtype=np.bool_)

    def side_of(*lacking: Sequence[float]) -> int:
        """The side that lacks more, by the first criterion that tells them apart."""
        for kept, held_out in lacking:
            if kept != held_out:
                return int(held_out > kept)
        return int(generator.choice(2))

    while unassigned.any():
        rarest = np.flatnonzero(unassigned == unassigned[unassigned > 0].min())
        label = rarest[generator.choice(len(rarest)) if len(rarest) > 1 else 0]
        chosen = np.flatnonzero((counts[:, label] > 0) & is_pending)
        chosen_counts = np.ascontiguousarray(counts[chosen])
        for group, row in zip(chosen.tolist(), chosen_counts, strict=True):
            side = side_of(positives[:, label].tolist(), samples)
            held[group] = side
            positives[side] -= row
            samples[side] -= sizes[group]
        is_pending[chosen] = False
        unassigned -= chosen_counts.sum(axis=0, dtype=np.int64)
    for group in np.flatnonzero(is_pending).tolist():
        side = side_of(samples)
        held[group] = side
        samples[side] -= sizes[group]
    in_given_order = np.empty_like(held)
    in_given_order[order] = held
    return in_given_order
