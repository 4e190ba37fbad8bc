"""A made-up competition: pictures, captions and labels, of which each tells something alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from filelock import FileLock
from pydantic import Field

from mmclf.data.samples import Samples
from mmclf.data.sources import competition
from mmclf.data.sources.competition_csv import write_rows
from mmclf.data.sources.demo_pictures import draw_jpeg
from mmclf.errors import InputError
from mmclf.progress import progress_bar
from mmclf.storage.store.inner_files import remove_tree

# Raise it, here and in conf/data/demo.yaml, when a seed shows something else.
VERSION = 2
FIRST_TEST_ID = 25_000
MANIFEST = "demo.json"
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1, le=FIRST_TEST_ID)]


class Thing(NamedTuple):
    """How many of 60 samples are about a thing, where it is seen, and what it is called."""

    share: int
    place: str
    nouns: tuple[str, ...]


class Place(NamedTuple):
    """How a caption says where it is, and which labels are often seen there."""

    phrases: tuple[str, ...]
    company: tuple[str, ...]


# COCO's names in the order of its ids, then things without a label. Some nouns fit several.
THINGS = {
    "person": Thing(12, "park", ("man", "woman", "girl", "boy", "child", "person", "figure")),
    "bicycle": Thing(2, "street", ("bicycle", "bike", "cycle", "mountain bike")),
    "car": Thing(6, "street", ("car", "sedan", "taxi", "vehicle")),
    "motorcycle": Thing(3, "street", ("motorcycle", "motorbike", "scooter", "bike")),
    "airplane": Thing(3, "station", ("airplane", "plane", "jet", "machine")),
    "bus": Thing(3, "street", ("bus", "coach", "vehicle")),
    "train": Thing(3, "station", ("train", "locomotive", "tram", "machine")),
    "truck": Thing(3, "street", ("truck", "lorry", "vehicle")),
    "boat": Thing(3, "water", ("boat", "ship", "sailboat", "vessel")),
    "traffic light": Thing(2, "street", ("traffic light", "stop light", "signal")),
    "fire hydrant": Thing(2, "street", ("fire hydrant", "hydrant", "metal object")),
    "stop sign": Thing(2, "street", ("stop sign", "red sign", "signal")),
    "parking meter": Thing(1, "street", ("parking meter", "meter", "metal object")),
    "bench": Thing(2, "park", ("bench", "park bench", "wooden seat")),
    "bird": Thing(3, "water", ("bird", "duck", "seagull", "animal")),
    "cat": Thing(3, "home", ("cat", "kitten", "tabby", "pet", "animal")),
    "dog": Thing(4, "park", ("dog", "puppy", "terrier", "pet", "animal")),
    "horse": Thing(3, "park", ("horse", "pony", "animal")),
    "tree": Thing(0, "park", ("tall tree", "old tree")),
    "house": Thing(0, "street", ("small house", 'building that says "open"')),
    "ball": Thing(0, "home", ("ball", "balloon")),
}
DECORATIONS = ("tree", "house", "ball")
LABEL_IDS = dict(zip(THINGS, [*range(1, 12), *range(13, 20)], strict=False))

PLACES = {
    "street": Place(
        ("on a city street", "at an intersection", "by the road"),
        ("car", "truck", "traffic light", "bicycle"),
    ),
    "park": Place(("in a park", "on the grass", "along a path"), ("bench", "dog", "bicycle")),
    "water": Place(("by the water", "at the beach", "near the shore"), ("boat", "bird")),
    "station": Place(("at the terminal", "by the platform"), ("bench", "truck")),
    "home": Place(("in a living room", "on the floor", "by a window"), ("dog", "cat")),
}
OPENINGS = ("", "there is ", "a photo of ", "a view of ", "this shows ")
JOINTS = (" next to ", " near ", " behind ", " and ", " with ")
ADJECTIVES = ("small ", "large ", "old ", "lone ", "shiny ", "", "", "", "")

# How likely a scene is set elsewhere and has more in it, and a caption names what is there.
ELSEWHERE, PERSON, COMPANION, DECORATION = 0.2, 0.68, 0.35, 0.4
NAMED = 0.7


class Scene(NamedTuple):
    """What a picture shows and a caption speaks of."""

    things: tuple[str, ...]
    place: str

    @property
    def labels(self) -> list[int]:
        """The ids of what has a label, ascending."""
        return sorted(LABEL_IDS[thing] for thing in self.things if thing in LABEL_IDS)


def load(root: str, seed: Seed = 0, train: Count = 1200, test: Count = 400) -> Samples:
    """`train` + `test` generated samples below `root`, made there first unless they are.

    `seed` decides what they show; the test set is the source's own. Raises InputError if an
    argument is out of range or `root` holds something else.

    >>> samples = load("demo", train=40, test=10)
    >>> len(samples), int(samples.own_test.sum()), samples.label_names[:2]
    (50, 10, ('person', 'bicycle'))
    """
    generate(Path(root), seed=seed, train=train, test=test)
    names = {str(number): name for name, number in LABEL_IDS.items()}
    return competition.load(root, label_names=names)


def generate(root: Path, *, seed: int, train: int, test: int) -> Path:
    """Write a demo to the folder `root`, whole or not at all, unless it is there; return `root`.

    A demo starts with the smaller ones of its seed. Raises InputError as `load`.
    """
    _check_range("seed", seed, 0, 2**32 - 1)
    _check_range("train", train, 1, FIRST_TEST_ID)
    _check_range("test", test, 1, FIRST_TEST_ID)
    manifest = json.dumps({"version": VERSION, "seed": seed, "train": train, "test": test})
    if _read_manifest(root) == manifest:
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{root}.lock"):
        if _read_manifest(root) != manifest:
            _check_free(root, manifest)
            # Its name is fixed, so that the next process clears what a killed one left.
            unfinished = root.with_name(f".{root.name}.mmclf-demo-part")
            remove_tree(unfinished)
            (unfinished / "data").mkdir(parents=True)
            _write_part(unfinished, "train.csv", seed, range(train))
            _write_part(unfinished, "test.csv", seed, range(FIRST_TEST_ID, FIRST_TEST_ID + test))
            (unfinished / MANIFEST).write_text(manifest, encoding="utf-8")
            if root.exists():
                root.rmdir()
            unfinished.replace(root)
    return root


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"data.{name}: found {value}, expected {least} to {most}: set it so")


def _read_manifest(root: Path) -> str | None:
    """What the demo in `root` says of itself, or None if there is none."""
    path = root / MANIFEST
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _check_free(root: Path, manifest: str) -> None:
    """Raise InputError if anything but an empty folder is at `root`."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(
            f"data.root: {root} holds {_read_manifest(root) or 'other files'}, expected the demo "
            f"{manifest}, an empty folder or none: give another root, or delete it to have it made"
        )


def _write_part(folder: Path, table: str, seed: int, numbers: range) -> None:
    """Write a table, and the picture of each of its rows."""
    scenes, captions, pictures = np.random.default_rng([seed, numbers.start]).spawn(3)
    rows = []
    with progress_bar(f"drawing pictures for {table}", len(numbers)) as advance:
        for number, scene in zip(numbers, sample_scenes(scenes), strict=False):
            name = f"{number}.jpg"
            labels = [str(label) for label in scene.labels]
            rows.append((name, labels, write_caption(scene, captions)))
            (folder / "data" / name).write_bytes(draw_jpeg(scene.things, scene.place, pictures))
            advance(1)
    write_rows(folder / table, rows)


def sample_scenes(rng: np.random.Generator) -> Iterator[Scene]:
    """Scenes without end; each label is the subject of one of the first 60 and of each 60 after."""
    deck = [name for name, thing in THINGS.items() for _ in range(thing.share)]
    while True:
        for subject in rng.permutation(deck).tolist():
            place = THINGS[subject].place
            if rng.random() < ELSEWHERE:
                place = _one_of(rng, list(PLACES))
            things = [subject]
            if rng.random() < PERSON:
                things.append("person")
            if rng.random() < COMPANION:
                things.append(_one_of(rng, PLACES[place].company))
            if rng.random() < DECORATION:
                things.append(_one_of(rng, DECORATIONS))
            each_once = list(dict.fromkeys(things))
            yield Scene(tuple(rng.permutation(each_once).tolist()), place)


def write_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A sentence on some of what the scene shows, in words that at times fit something else."""
    named = [thing for thing in scene.things if rng.random() < NAMED]
    nouns = [_one_of(rng, ADJECTIVES) + _one_of(rng, THINGS[thing].nouns) for thing in named]
    phrases = [f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}" for noun in nouns]
    text = _one_of(rng, OPENINGS) + (phrases[0] if phrases else "a quiet moment")
    for phrase in phrases[1:]:
        text += _one_of(rng, JOINTS) + phrase
    text += f" {_one_of(rng, PLACES[scene.place].phrases)}."
    return text[0].upper() + text[1:]


def _one_of(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
