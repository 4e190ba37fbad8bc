"""What a model made of a part of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class SplitOutputs:
    """The loss over all N samples of a part, and their logits (N, L)."""

    loss: float
    logits: Logits
