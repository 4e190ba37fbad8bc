"""What speaks for the labels of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WordWeights:
    """A caption with its parts that count, in their order.

    Args:
        caption: the text.
        spans: of W words, the start and end of each in the text.
        weights: (W, K) by how much the logits of K labels fall without the word.

    """

    caption: str
    spans: Sequence[tuple[int, int]]
    weights: Floats


@dataclass(frozen=True)
class Explanation:
    """What speaks for K labels of a sample: changes of logits, positive where it speaks for one.

    Args:
        labels: the columns of the K labels, the most probable first.
        probabilities: (K,).
        picture: (H, W, 3) as the model sees it; None for a run without images.
        heat: (K, G, G) by how much the logit falls without that part of the picture.
        captions: of the sample, none for a run without captions.
        whole: by modality (K,), by how much the logit falls without it.

    """

    labels: NDArray[np.int64]
    probabilities: Floats
    picture: NDArray[np.uint8] | None
    heat: Floats | None
    captions: Sequence[WordWeights]
    whole: Mapping[str, Floats]
