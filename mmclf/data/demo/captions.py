"""What a person might say about a demo scene: words for some of its things, never for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmclf.data.demo import words
from mmclf.data.demo.scenes import Scene, Thing
from mmclf.data.demo.tables import MOUNTS

# How likely a thing is named at all, by its height as a share of the picture's: people talk about
# what is large, but not always.
NAMED_LARGE, NAMED_SMALL = 0.74, 0.36
LARGE = 0.18
VAGUELY = 0.14

ANIMALS = frozenset((16, 17, 18, 19))
FIXED = frozenset((10, 11, 13, 14, 15))


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One sentence of about ten words; some hold double quotes, few a line break."""
    named = _named(scene, rng)
    if not named:
        text = _one_of(rng, words.OUTLOOKS).format(place=_place(scene, rng))
    else:
        text = _about(scene, named, rng)
    text = _with_tail(text, scene, rng)
    if rng.random() < 0.025:
        text += f' with a sign that reads "{_one_of(rng, words.QUOTED)}"'
    text = text[0].upper() + text[1:] if rng.random() < 0.75 else text[0].lower() + text[1:]
    if rng.random() < 0.7:
        text += "."
    if rng.random() < 0.006:
        text = _broken(text, rng)
    return text


def mentions(scene: Scene, rng: np.random.Generator) -> frozenset[int]:
    """The category ids that `caption` refers to when it is given the same random numbers."""
    return frozenset(_named(scene, rng))


def _named(scene: Scene, rng: np.random.Generator) -> list[int]:
    """At most three categories to speak of, the largest thing's first."""
    largest: dict[int, float] = {}
    for thing in scene.things:
        largest[thing.category] = max(thing.height, largest.get(thing.category, 0.0))
    ordered = sorted(largest, key=lambda category: -largest[category])
    chances = (NAMED_LARGE if largest[category] >= LARGE else NAMED_SMALL for category in ordered)
    return [c for c, chance in zip(ordered, chances, strict=True) if rng.random() < chance][:3]


def _about(scene: Scene, named: Sequence[int], rng: np.random.Generator) -> str:
    """The sentence about the named categories, without what may follow it."""
    phrases = {category: _phrase(scene, category, rng) for category in named}
    seat = _seat(scene, named)
    if seat is not None and rng.random() < 0.8:
        verbs = words.SITTER_VERBS if seat == 15 else words.RIDER_VERBS
        text = f"{phrases[1]} {_one_of(rng, verbs)} {phrases[seat]}"
        rest = [category for category in named if category not in (1, seat)]
    else:
        first, *rest = named
        text = f"{phrases[first]} {_verb(scene, first, rng)}"
        opening = rng.random()
        if opening < 0.15:
            text = f"there is {text}" if _count(scene, first) == 1 else f"there are {text}"
        elif opening < 0.28:
            text = _one_of(rng, ("a picture of ", "a view of ", "a photo of ")) + text
    for category in rest:
        text += f" {_one_of(rng, words.NEAR)} {phrases[category]}"
    return f"{text} {_place(scene, rng)}" if rng.random() < 0.7 else text


def _seat(scene: Scene, named: Sequence[int]) -> int | None:
    """The named category that a named person sits on, or None."""
    seated = any(thing.pose in ("ride", "sit") for thing in scene.things)
    mounts = [category for category in named if category in MOUNTS]
    return mounts[0] if seated and mounts and 1 in named else None


def _phrase(scene: Scene, category: int, rng: np.random.Generator) -> str:
    """A noun phrase for all the scene's things of one category."""
    count = _count(scene, category)
    vague = rng.random() < VAGUELY
    singular, plural = words.NOUNS[category]
    if count > 1:
        noun = words.VAGUE[category][1] if vague else _one_of(rng, plural)
        return f"{_one_of(rng, words.COUNTS[min(count, 3)])} {noun}"
    if vague and category == 1:
        return "someone"
    noun = words.VAGUE[category][0] if vague else _one_of(rng, singular)
    described = rng.random()
    if described < 0.25:
        noun = f"{_one_of(rng, words.ADJECTIVES)} {noun}"
    elif described < 0.5 and category != 1 and not vague:
        noun = f"{_first(scene, category).colour} {noun}"
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _verb(scene: Scene, category: int, rng: np.random.Generator) -> str:
    if category == 1:
        return _one_of(rng, words.PERSON_VERBS)
    if _first(scene, category).pose == "fly":
        return _one_of(rng, words.FLYING_VERBS)
    if category in ANIMALS:
        return _one_of(rng, words.ANIMAL_VERBS)
    return _one_of(rng, words.FIXED_VERBS if category in FIXED else words.VEHICLE_VERBS)


def _with_tail(text: str, scene: Scene, rng: np.random.Generator) -> str:
    """The sentence with something unlabelled and the time of day, at times."""
    if scene.behind and rng.random() < 0.3:
        text += f" with {words.DECOR[scene.behind[0].kind]}"
        text += _one_of(rng, ("", " nearby", " in the background"))
    if len(text.split()) < 9 and rng.random() < 0.6:
        text += " " + _one_of(rng, words.DIM if scene.light < 0.6 else words.BRIGHT)
    return text


def _broken(text: str, rng: np.random.Generator) -> str:
    """The text with a line break instead of one of its spaces."""
    parts = text.split(" ")
    at = int(rng.integers(1, len(parts)))
    return " ".join(parts[:at]) + "\n" + " ".join(parts[at:])


def _place(scene: Scene, rng: np.random.Generator) -> str:
    return _one_of(rng, words.PLACES[scene.backdrop])


def _count(scene: Scene, category: int) -> int:
    return Counter(thing.category for thing in scene.things)[category]


def _first(scene: Scene, category: int) -> Thing:
    return next(thing for thing in scene.things if thing.category == category)


def _one_of(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
