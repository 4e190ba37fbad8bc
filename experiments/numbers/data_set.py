"""The data that both trees see: small pictures made from a seed, or a slice of a real data set."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

TRAIN_ROWS, TEST_ROWS, SLICE_ROWS = 240, 80, 320
WIDTH, HEIGHT, SIDE = 96, 80, 22  # pixels
THINGS = ("disc", "box", "ring", "frame", "bar", "cross")  # one a label
COLOURS = ("#a06060", "#6068a0", "#a09860", "#60a070", "#606060", "#a8a8a8")  # any thing has any
SHARES = (0.5, 0.4, 0.3, 0.25, 0.2, 0.12)  # of the samples, one a label
FILLERS = ("there", "seems", "to", "be", "something", "near", "the", "wall", "today", "again")
# How likely a caption names a thing that is there, or one that is not.
NAMED, INVENTED = 0.7, 0.08
# Where a record of the competition's CSV starts, whose quoting no CSV reader understands.
RECORD = re.compile(r'^[^\s",]+\.[A-Za-z]{3,4},', re.MULTILINE)
LABELS = re.compile(r'^([^\s",]+\.[A-Za-z]{3,4},)[^",\r\n]*,', re.MULTILINE)


def make(folder: Path) -> None:
    """Write labelled training and test samples in the competition's layout, always the same."""
    (folder / "data").mkdir(parents=True)
    rng = np.random.default_rng(20240)
    number = 0
    for name, count in (("train", TRAIN_ROWS), ("test", TEST_ROWS)):
        lines = ["ImageID,Labels,Caption"]
        for _ in range(count):
            shown = rng.random(len(THINGS)) < SHARES
            shown[rng.integers(len(THINGS))] |= not shown.any()
            _picture(rng, shown).save(folder / "data" / f"{number}.jpg", quality=90)
            labels = " ".join(str(one + 1) for one in np.flatnonzero(shown))
            lines.append(f'{number}.jpg,{labels},"{_caption(rng, shown)}"')
            number += 1
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _picture(rng: np.random.Generator, shown: np.ndarray) -> Image.Image:
    """Noise with a thing of some colour for each label shown, each at a place of its own."""
    noise = rng.integers(90, 166, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    draw = ImageDraw.Draw(picture)
    places = rng.permutation(len(THINGS))
    for place, label in zip(places, np.flatnonzero(shown), strict=False):
        x, y = 2 + 31 * int(place % 3), 4 + 40 * int(place // 3)
        box = (x, y, x + SIDE, y + SIDE)
        colour = COLOURS[rng.integers(len(COLOURS))]
        match THINGS[label]:
            case "disc":
                draw.ellipse(box, fill=colour)
            case "box":
                draw.rectangle(box, fill=colour)
            case "ring":
                draw.ellipse(box, outline=colour, width=5)
            case "frame":
                draw.rectangle(box, outline=colour, width=5)
            case "bar":
                draw.line((x, y + SIDE, x + SIDE, y), fill=colour, width=6)
            case _:
                draw.line(box, fill=colour, width=5)
                draw.line((x, y + SIDE, x + SIDE, y), fill=colour, width=5)
    return picture


def _caption(rng: np.random.Generator, shown: np.ndarray) -> str:
    """Words among which most of the things shown are named, and now and then one that is not."""
    named = rng.random(len(THINGS)) < np.where(shown, NAMED, INVENTED)
    words = [*rng.choice(FILLERS, 5), *(THINGS[one] for one in np.flatnonzero(named))]
    return " ".join(words[one] for one in rng.permutation(len(words)))


def cut(source: Path, folder: Path) -> None:
    """Copy the first samples of a data set in the competition's layout.

    Those after them become a test set without labels, to be predicted; that with labels is drawn
    by the split. Raises SystemExit if there are too few.
    """
    text = (source / "train.csv").read_text(encoding="utf-8")
    starts = [match.start() for match in RECORD.finditer(text)]
    needed = SLICE_ROWS + TEST_ROWS
    if len(starts) <= needed:
        raise SystemExit(f"{source}/train.csv has {len(starts)} rows, expected over {needed}")
    middle, end = starts[SLICE_ROWS], starts[needed]
    (folder / "data").mkdir(parents=True)
    (folder / "train.csv").write_text(text[:middle], encoding="utf-8")
    unlabelled = LABELS.sub(r"\1", text[middle:end])
    (folder / "test.csv").write_text(f"ImageID,Caption\n{unlabelled}", encoding="utf-8")
    for match in RECORD.finditer(text[:end]):
        shutil.copy(source / "data" / match[0].rstrip(","), folder / "data")


def digest(folder: Path) -> str:
    """A digest of all files in a folder, by their names and contents."""
    summed = hashlib.sha256()
    for path in _files(folder):
        summed.update(f"{path.relative_to(folder)}\n{path.stat().st_size}\n".encode())
        summed.update(path.read_bytes())
    return summed.hexdigest()


def _files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
