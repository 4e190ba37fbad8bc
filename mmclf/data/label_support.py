"""Check that every label has a positive in the training samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import LISTED, shown
from mmclf.data.split import Parts
from mmclf.errors import InputError


def check_label_support(
    labels: NDArray[np.uint8], parts: Parts, label_names: Sequence[str]
) -> None:
    """Raise InputError with a problem for each of the L labels without a training sample.

    The first few are listed with their counts in the other parts.

    Args:
        labels: (N, L) of 0 and 1.
        parts: of the split.
        label_names: of the L labels.

    """
    counts = {name: labels[rows].sum(axis=0, dtype=np.int64) for name, rows in parts.items()}
    absent = np.flatnonzero(counts["train"] == 0)
    if len(absent) == 0:
        return
    problems = []
    for j in absent[:LISTED]:
        val, test = counts["val"][j], counts["test"][j]
        problem = (
            f"is seen outside training only ({val} in val, {test} in test): move samples with it "
            "to training, give another seed or split.test_seed, or leave the label out of the data"
            if val + test > 0
            else "has no positive at all: give samples with it, or do not ask for it"
        )
        problems.append(f"the label {shown(label_names[j])} {problem}")
    hidden = len(absent) - LISTED
    if hidden > 0:
        problems.append(
            f"{hidden} more of the {len(label_names)} labels have none in training either"
        )
    raise InputError(*problems)
