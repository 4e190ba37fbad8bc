"""Which things a demo scene shows, where and how large: pure numpy, nothing is drawn here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from mmclf.data.demo.tables import (
    ANCHORS,
    BACKDROPS,
    COLOURS,
    EXTRAS,
    FURS,
    HORIZONS,
    MOUNTS,
    PROPORTIONS,
    Backdrop,
)

PERSON, AIRPLANE, BOAT, BENCH, BIRD, CAT, DOG, HORSE = 1, 5, 9, 15, 16, 17, 18, 19
MOST_THINGS = 5

Pose = Literal["stand", "walk", "ride", "sit", "fly"]
T = TypeVar("T")


@dataclass(frozen=True)
class Thing:
    """One labelled thing; `x` is a share of the picture's width, lengths are of its height."""

    category: int
    x: float
    bottom: float
    height: float
    flip: bool
    colour: str
    variant: int
    pose: Pose = "stand"


@dataclass(frozen=True)
class Extra:
    """A thing without a label: it decorates, distracts or hides; lengths as in `Thing`."""

    kind: str
    x: float
    bottom: float
    height: float
    colour: str


@dataclass(frozen=True)
class Scene:
    """What one picture shows, far things first, and how badly it was taken."""

    backdrop: Backdrop
    things: tuple[Thing, ...]
    behind: tuple[Extra, ...]
    before: tuple[Extra, ...]
    light: float
    haze: float
    blur: float
    noise: float

    @property
    def labels(self) -> tuple[int, ...]:
        """The category ids that occur, ascending, each once."""
        return tuple(sorted({thing.category for thing in self.things}))


def stream(seed: int, index: int, stage: int) -> np.random.Generator:
    """The random numbers of one stage of record `index`: no stage disturbs another."""
    return np.random.default_rng([seed, index, stage])


def pick(rng: np.random.Generator, weights: Mapping[T, float]) -> T:
    """One key, drawn in proportion to its weight."""
    share = np.fromiter(weights.values(), dtype=np.float64)
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]


def sample(seed: int, index: int) -> Scene:
    """The scene of record `index`, a function of (seed, index) alone."""
    rng = stream(seed, index, 0)
    anchor = pick(rng, {category: row.weight for category, row in ANCHORS.items()})
    backdrop = pick(rng, BACKDROPS[anchor])
    things = _things(rng, anchor, backdrop)
    return Scene(
        backdrop=backdrop,
        things=things,
        behind=tuple(_extra(rng, backdrop) for _ in range(rng.integers(0, 4))),
        before=_occluders(rng, things, backdrop),
        light=_either(rng, 0.20, (0.22, 0.50), (0.75, 1.10)),
        haze=_either(rng, 0.20, (0.25, 0.60), (0.00, 0.15)),
        blur=_either(rng, 0.25, (1.20, 2.60), (0.00, 0.60)),
        noise=_either(rng, 0.25, (12.0, 26.0), (2.00, 9.00)),
    )


def _either(
    rng: np.random.Generator,
    chance: float,
    rare: tuple[float, float],
    usual: tuple[float, float],
) -> float:
    """A uniform draw from the `rare` interval with this chance, else from the `usual` one."""
    return float(rng.uniform(*(rare if rng.random() < chance else usual)))


def _things(rng: np.random.Generator, anchor: int, backdrop: Backdrop) -> tuple[Thing, ...]:
    """The scene's one to five things; the far and small ones come first, riders on mounts."""
    categories = [anchor]
    if rng.random() < 0.3:
        categories += [anchor] * int(rng.integers(1, 3))
    for companion, chance in ANCHORS[anchor].companions.items():
        if rng.random() < chance and (companion != BOAT or backdrop == "water"):
            categories.append(companion)
    placed: list[Thing] = []
    for place, category in enumerate(categories[:MOST_THINGS]):
        mount = _free_mount(rng, placed) if category == PERSON else None
        far = place > 0 and rng.random() < 0.45
        thing = _placed(rng, category, backdrop, far)
        placed.append(thing if mount is None else _seated(thing, mount))
    return _far_first(placed)


def _free_mount(rng: np.random.Generator, placed: list[Thing]) -> Thing | None:
    """The thing that the next person sits on, if any."""
    for thing in placed:
        chance = MOUNTS.get(thing.category, (0.0, 0.0, 0.0))[0]
        taken = any(other.pose in ("ride", "sit") for other in placed)
        if rng.random() < chance and not taken:
            return thing
    return None


def _seated(person: Thing, mount: Thing) -> Thing:
    """The person moved onto the mount, facing the way it faces."""
    _, relative, raised = MOUNTS[mount.category]
    return Thing(
        category=person.category,
        x=mount.x,
        bottom=mount.bottom - raised * mount.height,
        height=relative * mount.height,
        flip=mount.flip,
        colour=person.colour,
        variant=person.variant,
        pose="sit" if mount.category == BENCH else "ride",
    )


def _far_first(placed: list[Thing]) -> tuple[Thing, ...]:
    """Things by their distance; a seated person directly follows what carries it."""
    seated = [thing for thing in placed if thing.pose in ("ride", "sit")]
    ordered: list[Thing] = []
    for thing in sorted((t for t in placed if t not in seated), key=lambda t: t.bottom):
        ordered.append(thing)
        if thing.category in MOUNTS:
            riders = [rider for rider in seated if rider.x == thing.x]
            ordered += riders
    return tuple(ordered)


def _placed(rng: np.random.Generator, category: int, backdrop: Backdrop, far: bool) -> Thing:
    """One thing at a random place: what is far is small and stands near the horizon."""
    usual, _ = PROPORTIONS[category]
    scale = float(rng.uniform(0.22, 0.45) if far else rng.uniform(0.5, 1.25))
    horizon = HORIZONS[backdrop]
    depth = min(scale / 1.25, 1.0)
    bottom = horizon + (0.97 - horizon) * depth + float(rng.uniform(-0.02, 0.02))
    pose: Pose = "walk" if rng.random() < 0.5 else "stand"
    if category in (AIRPLANE, BIRD) and rng.random() < 0.5:
        pose, bottom = "fly", float(rng.uniform(0.25, 0.55))
    if category == BOAT:
        bottom = horizon + 0.04 + 0.36 * depth
    if backdrop == "water" and pose != "fly" and category != BOAT:
        bottom = max(bottom, 0.84)
    palette = FURS if category in (BIRD, CAT, DOG, HORSE) else tuple(COLOURS)
    return Thing(
        category=category,
        x=float(rng.uniform(0.1, 0.9)),
        bottom=bottom,
        height=usual * scale,
        flip=bool(rng.random() < 0.5),
        colour=palette[int(rng.integers(len(palette)))],
        variant=int(rng.integers(0, 6)),
        pose=pose,
    )


def _extra(rng: np.random.Generator, backdrop: Backdrop) -> Extra:
    """An unlabelled thing that goes with the backdrop."""
    kinds = EXTRAS[backdrop]
    scale = float(rng.uniform(0.3, 1.0))
    horizon = HORIZONS[backdrop]
    return Extra(
        kind=kinds[int(rng.integers(len(kinds)))],
        x=float(rng.uniform(0.0, 1.0)),
        bottom=horizon + (0.95 - horizon) * scale,
        height=0.62 * scale,
        colour=list(COLOURS)[int(rng.integers(len(COLOURS)))],
    )


def _occluders(
    rng: np.random.Generator, things: tuple[Thing, ...], backdrop: Backdrop
) -> tuple[Extra, ...]:
    """At times a bush, a post or a crate in front of a thing, so that the picture hides it."""
    kinds = ("plant", "box", "box") if backdrop == "room" else ("bush", "box", "post")
    hidden = [thing for thing in things if rng.random() < 0.22]
    return tuple(
        Extra(
            kind=kinds[int(rng.integers(len(kinds)))],
            x=thing.x + float(rng.uniform(-0.05, 0.05)),
            bottom=thing.bottom + 0.02,
            height=thing.height * float(rng.uniform(0.5, 0.85)),
            colour=list(COLOURS)[int(rng.integers(len(COLOURS)))],
        )
        for thing in hidden
    )
