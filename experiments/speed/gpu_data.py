"""The samples of the figures on a GPU: pictures, captions and labels, generated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]

LABELS, LABEL_RATE = 18, 0.15
WORDS = ("a", "the", "man", "woman", "dog", "cat", "bus", "on", "near", "red", "street", "rides")
WORDS_A_CAPTION = (6, 18)  # 11.5 in the mean, as real captions have
DISTINCT = 1000  # pictures that are drawn; they repeat from then on, which takes no less to read
# Of the task that can be learnt.
OBJECTS, OBJECT_RATE, SHOWN, FLIPPED = 8, 0.3, 30, 0.05


@dataclass(frozen=True)
class Data:
    """N samples: the first `train` train, the next `val` validate, the rest test."""

    pictures: Pictures  # (N, H, W, 3)
    captions: tuple[str, ...]
    labels: NDArray[np.uint8]  # (N, L)
    train: int
    val: int

    def first(self, train: int) -> Data:
        """The first `train` samples to train, and as many others as a run of so many would have."""
        held_out = part_of(train)
        count = train + 2 * held_out
        return Data(
            self.pictures[:count], self.captions[:count], self.labels[:count], train, held_out
        )


def part_of(train: int) -> int:
    """How many samples validate, and test, beside `train`: the default shares are 80, 10, 10."""
    return max(train // 8, 2)


def random_data(file: Path, train: int, size: int) -> Data:
    """Samples of noise; the pictures as an array on disk, memory-mapped as decoded ones are."""
    held_out = part_of(train)
    count = train + 2 * held_out
    rng = np.random.default_rng(0)
    shape = (count, size, size, 3)
    drawn = rng.integers(0, 256, (min(count, DISTINCT), *shape[1:]), dtype=np.uint8)
    written: Pictures = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, count, len(drawn)):
        written[start : start + len(drawn)] = drawn[: count - start]
    del written
    pictures: Pictures = np.load(file, mmap_mode="r", allow_pickle=False)
    captions = tuple(
        " ".join(rng.choice(WORDS, rng.integers(*WORDS_A_CAPTION))) for _ in range(count)
    )
    labels = (rng.random((count, LABELS)) < LABEL_RATE).astype(np.uint8)
    return Data(pictures, captions, labels, train, held_out)


def learnable_data(train: int, size: int) -> Data:
    """Samples whose labels show: half of them as faint squares, the others by words as well.

    A share of the labels is wrong, so that no score reaches 1.
    """
    held_out = part_of(train)
    count, cell = train + 2 * held_out, size // 4
    rng = np.random.default_rng(1)
    there = rng.random((count, OBJECTS)) < OBJECT_RATE
    pictures = rng.integers(64, 192, (count, size, size, 3), dtype=np.uint8)
    captions: list[str] = []
    for number in range(count):
        for label in np.flatnonzero(there[number]):
            row, column = divmod(int(label), 4)
            square = pictures[number, row * cell : (row + 1) * cell, column * cell :][:, :cell]
            square[..., label % 3] += np.uint8(SHOWN)
        words = [WORDS[label] for label in np.flatnonzero(there[number]) if label % 2]
        captions.append(" ".join(["street", *words]))
    labels = (there ^ (rng.random(there.shape) < FLIPPED)).astype(np.uint8)
    return Data(pictures, tuple(captions), labels, train, held_out)
