"""Occlusion: a picture without each of its parts, a caption without each of its words.

Zeiler and Fergus (arXiv:1311.2901) for pictures, Li, Monroe and Jurafsky (arXiv:1612.08220) for
words. It takes a model as it is, whether or not it has gradients, and one pass gives what all
labels lose, where gradients need a pass a label; captum's occlusion would take one a label too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pictures = NDArray[np.uint8]
CELLS, WINDOW = 12, 3  # a picture's cells a side, and of the part that is taken away
_WORD = re.compile(r"\S+")
_TERM = re.compile(r"(?u)\b\w\w+\b")  # what scikit-learn's vectorizers take for a word


def windows() -> list[tuple[int, int]]:
    """The first row and column, in cells, of each part that is taken away."""
    starts = range(CELLS - WINDOW + 1)
    return [(row, column) for row in starts for column in starts]


def without_parts(picture: Pictures, colour: NDArray[np.uint8]) -> Iterator[Pictures]:
    """A picture (H, W, 3) with each of the `windows` painted in a colour (3,)."""
    edges = [np.linspace(0, side, CELLS + 1).round().astype(int) for side in picture.shape[:2]]
    for row, column in windows():
        changed = picture.copy()
        rows = slice(edges[0][row], edges[0][row + WINDOW])
        changed[rows, edges[1][column] : edges[1][column + WINDOW]] = colour
        yield changed


def heat_of(drops: Floats) -> Floats:
    """The heat (K, CELLS, CELLS) of each cell: the mean drop (W, K) of the windows that hold it."""
    sums = np.zeros((drops.shape[1], CELLS, CELLS))
    counts = np.zeros((CELLS, CELLS))
    for (row, column), drop in zip(windows(), drops, strict=True):
        part = (slice(row, row + WINDOW), slice(column, column + WINDOW))
        sums[(slice(None), *part)] += drop[:, None, None]
        counts[part] += 1
    return sums / counts


def word_spans(caption: str) -> list[tuple[int, int]]:
    """The start and end of each word, which blanks divide."""
    return [match.span() for match in _WORD.finditer(caption)]


def without_words(caption: str) -> list[str]:
    """The caption without each of its words."""
    return [
        " ".join(f"{caption[:start]} {caption[end:]}".split()) for start, end in word_spans(caption)
    ]


def term_words(
    caption: str, vocabulary: Mapping[str, int]
) -> tuple[list[tuple[int, int]], dict[int, list[int]]]:
    """The spans of the words that are in terms of TF-IDF, and by a term's column their numbers.

    A term is one word or several that follow each other; a number stands once for each time.
    """
    matches = list(_TERM.finditer(caption.lower()))
    words = [match.group() for match in matches]
    longest = max((term.count(" ") + 1 for term in vocabulary), default=1)
    numbers_of: dict[int, list[int]] = {}
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            column = vocabulary.get(" ".join(words[start:end]))
            if column is not None:
                numbers_of.setdefault(column, []).extend(range(start, end))
    used = sorted({number for numbers in numbers_of.values() for number in numbers})
    index = {number: i for i, number in enumerate(used)}
    spans = [matches[number].span() for number in used]
    return spans, {column: [index[n] for n in numbers] for column, numbers in numbers_of.items()}
