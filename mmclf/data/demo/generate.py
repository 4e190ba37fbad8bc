"""A made-up competition: pictures, captions and labels, with a test set that has labels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from filelock import FileLock

from mmclf.data.demo import captions, pictures, scenes

# Raise it when a change of the generator changes what a seed shows.
VERSION = 1
FIRST_TEST_ID = 25_000
HEADER = "ImageID,Labels,Caption\n"
MANIFEST = "demo.json"
# The manifest's name until all else is written: it marks a folder as ours and as unfinished.
UNFINISHED = "demo.json.part"
ADVICE = "give another root, or delete that folder to have it made anew"


def make(root: Path, *, seed: int, train: int, test: int) -> Path:
    """Write `train` + `test` labelled pictures to the folder `root`, once, and return it.

    Processes that start at once make it once; a folder that holds this demo is left as it is.
    Raises ValueError if an argument is out of range or `root` holds something else.
    """
    _check_range(seed=seed, train=train, test=test)
    wanted = json.dumps({"version": VERSION, "seed": seed, "train": train, "test": test})
    if _manifest(root) == wanted:
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{root}.lock"):
        if _manifest(root) != wanted:
            _check_free(root, wanted)
            _replace(root, wanted, seed=seed, train=train, test=test)
    return root


def record(seed: int, index: int) -> tuple[str, bytes]:
    """The CSV row of record `index`, with its line end, and its picture as JPEG bytes."""
    scene = scenes.sample(seed, index)
    picture = pictures.jpeg(scene, scenes.stream(seed, index, 1))
    return row(seed, index, scene), picture


def row(seed: int, index: int, scene: scenes.Scene) -> str:
    """The CSV row of record `index`; quotes within the caption are not doubled."""
    caption = captions.caption(scene, scenes.stream(seed, index, 2))
    rng = scenes.stream(seed, index, 3)
    labels: Sequence[int] = scene.labels
    if rng.random() < 0.4:
        labels = [int(label) for label in rng.permutation(labels)]
    return f'{index}.jpg,{" ".join(map(str, labels))},"{caption}"\n'


def _check_range(**arguments: int) -> None:
    """Raise ValueError for the first argument that is out of range."""
    bounds = {"seed": (0, 2**32 - 1), "train": (1, FIRST_TEST_ID), "test": (1, FIRST_TEST_ID)}
    for name, (least, most) in bounds.items():
        if not least <= arguments[name] <= most:
            raise ValueError(
                f"demo: {name}={arguments[name]} is out of range, expected {least} to {most}; "
                f"set {name} within it"
            )


def _manifest(root: Path) -> str | None:
    """What the finished demo in `root` says of itself, or None if there is none."""
    path = root / MANIFEST
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def _check_free(root: Path, wanted: str) -> None:
    """Raise ValueError if `root` holds another demo, or files that are not ours to delete."""
    found = _manifest(root)
    if found is not None:
        raise ValueError(f"demo: {root / MANIFEST} says {found}, expected {wanted}; {ADVICE}")
    if (root / UNFINISHED).is_file() or not root.exists():
        return
    if not root.is_dir() or any(root.iterdir()):
        raise ValueError(
            f"demo: {root} exists and has no {MANIFEST}, so it is not a demo, "
            f"expected a free path, an empty folder or a demo; {ADVICE}"
        )


def _replace(root: Path, wanted: str, *, seed: int, train: int, test: int) -> None:
    """Make the demo beside `root`, then put it in the place of what is left there."""
    # The names are fixed, and not random, so that the next run clears what a killed one left; and
    # such as nobody would give to a folder of their own.
    aside, stale = (root.with_name(f".{root.name}.mmclf-demo-{use}") for use in ("part", "stale"))
    for leftover in (aside, stale):
        if leftover.exists():
            shutil.rmtree(leftover)
    _fill(aside, wanted, seed=seed, train=train, test=test)
    if root.exists():
        # Moved away before it is deleted: a deletion that is cut short could take the mark first.
        root.replace(stale)
        shutil.rmtree(stale)
    aside.replace(root)


def _fill(folder: Path, wanted: str, *, seed: int, train: int, test: int) -> None:
    """Write tables and pictures to a new folder, and the manifest last."""
    (folder / "data").mkdir(parents=True)
    (folder / UNFINISHED).write_text(wanted + "\n", encoding="utf-8", newline="\n")
    splits = {"train": range(train), "test": range(FIRST_TEST_ID, FIRST_TEST_ID + test)}
    # Threads, since a pool of processes could not start within a daemonic worker.
    with ThreadPoolExecutor() as pool:
        for split, indices in splits.items():
            rows = pool.map(partial(_write, folder / "data", seed), indices)
            text = HEADER + "".join(rows)
            (folder / f"{split}.csv").write_text(text, encoding="utf-8", newline="\n")
    (folder / UNFINISHED).replace(folder / MANIFEST)


def _write(images: Path, seed: int, index: int) -> str:
    """Write one picture and return its CSV row."""
    line, picture = record(seed, index)
    (images / f"{index}.jpg").write_bytes(picture)
    return line
