"""The words that demo captions are made of."""

from __future__ import annotations

from mmclf.data.demo.tables import Backdrop

# Category: singular nouns and plural nouns.
NOUNS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    1: (
        ("man", "woman", "girl", "boy", "lady", "guy", "person", "child", "young man"),
        ("people", "men", "women", "children", "kids", "friends", "adults"),
    ),
    2: (("bicycle", "bike", "mountain bike", "cycle"), ("bicycles", "bikes")),
    3: (("car", "sedan", "hatchback", "taxi", "automobile"), ("cars", "automobiles", "taxis")),
    4: (
        ("motorcycle", "scooter", "motorbike", "moped", "bike"),
        ("motorcycles", "motorbikes", "scooters", "bikes"),
    ),
    5: (("airplane", "plane", "jet", "aircraft", "airliner"), ("airplanes", "planes", "jets")),
    6: (("bus", "city bus", "coach", "tour bus"), ("buses", "coaches")),
    7: (("train", "locomotive", "tram", "passenger train", "engine"), ("trains", "engines")),
    8: (("truck", "lorry", "delivery truck", "semi", "tanker"), ("trucks", "lorries")),
    9: (("boat", "sailboat", "ship", "canoe", "yacht"), ("boats", "ships", "sailboats")),
    10: (
        ("traffic light", "stop light", "signal", "traffic signal"),
        ("traffic lights", "signals"),
    ),
    11: (("fire hydrant", "hydrant", "fire plug"), ("hydrants", "fire hydrants")),
    13: (("stop sign", "sign", "red sign"), ("stop signs", "signs")),
    14: (("parking meter", "meter", "coin meter"), ("parking meters", "meters")),
    15: (("bench", "park bench", "wooden seat"), ("benches", "seats")),
    16: (("bird", "pigeon", "duck", "seagull", "parrot"), ("birds", "ducks", "seagulls")),
    17: (("cat", "kitten", "kitty", "tabby"), ("cats", "kittens")),
    18: (("dog", "puppy", "hound", "terrier"), ("dogs", "puppies")),
    19: (("horse", "pony", "stallion", "foal"), ("horses", "ponies")),
}

# What one may say instead, which tells little: singular and plural.
VAGUE: dict[int, tuple[str, str]] = {
    1: ("figure", "figures"),
    2: ("vehicle", "vehicles"),
    3: ("vehicle", "vehicles"),
    4: ("vehicle", "vehicles"),
    5: ("machine", "machines"),
    6: ("vehicle", "vehicles"),
    7: ("long vehicle", "vehicles"),
    8: ("vehicle", "vehicles"),
    9: ("vessel", "vessels"),
    10: ("pole", "poles"),
    11: ("metal object", "metal objects"),
    13: ("pole", "poles"),
    14: ("metal object", "metal objects"),
    15: ("place to rest", "places to rest"),
    16: ("animal", "animals"),
    17: ("animal", "animals"),
    18: ("animal", "animals"),
    19: ("animal", "animals"),
}

PERSON_VERBS = ("standing", "waiting", "posing", "smiling", "looking around", "having fun")
RIDER_VERBS = ("riding", "on", "sitting on", "traveling on")
SITTER_VERBS = ("sitting on", "resting on", "relaxing on")
FLYING_VERBS = ("flying", "soaring", "high up")
ANIMAL_VERBS = ("resting", "standing", "looking around", "waiting", "walking")
VEHICLE_VERBS = ("parked", "stopped", "moving along", "seen", "passing by")
FIXED_VERBS = ("standing", "seen", "located")

NEAR = ("next to", "near", "beside", "in front of", "behind", "close to", "with", "and")

PLACES: dict[Backdrop, tuple[str, ...]] = {
    "street": (
        "on a city street",
        "in the middle of town",
        "at the side of the road",
        "by tall buildings",
        "at an intersection",
        "downtown",
    ),
    "park": (
        "in a park",
        "on the grass",
        "along a path",
        "by some trees",
        "in a garden",
        "under green trees",
    ),
    "field": ("in a field", "in the countryside", "by the hills", "on dry grass", "in a meadow"),
    "water": ("by the water", "at the beach", "near the ocean", "on the shore", "by a lake"),
    "airport": ("at an airport", "on the runway", "on the tarmac", "outside a terminal"),
    "room": ("in a living room", "inside a house", "on the floor", "by a window", "at home"),
    "tracks": ("on the tracks", "at a station", "by the platform", "on the railway"),
}

OUTLOOKS: tuple[str, ...] = (
    "A view of things {place}",
    "A quiet moment {place}",
    "This is a scene {place} with nothing much happening",
    "A very nice picture that was taken {place}",
    "Things are calm {place} today",
)

BRIGHT = ("on a sunny day", "in the daytime", "during the day", "on a clear day", "in the sun")
DIM = ("at night", "in the dark", "in the evening", "after sunset")

DECOR: dict[str, str] = {
    "tree": "a large tree",
    "lamp": "a street lamp",
    "mailbox": "a mail box",
    "sign": "a round sign",
    "umbrella": "an open umbrella",
    "plant": "a potted plant",
    "tower": "a tall tower",
    "bush": "a bush",
    "ball": "a ball",
    "kite": "a colorful kite",
    "sheep": "a sheep",
    "rock": "a big rock",
    "elephant": "an elephant",
    "box": "a suitcase",
    "table": "a coffee table",
    "teddy": "a teddy bear",
    "cake": "a birthday cake",
    "clock": "a large clock",
    "post": "a thick post",
}

ADJECTIVES = ("small", "large", "old", "lone", "shiny", "beautiful", "big", "little")
COUNTS = {2: ("two", "a couple of", "a pair of"), 3: ("three", "several", "a group of", "some")}
QUOTED = ("for rent", "caution", "main street", "welcome", "no parking", "open", "exit", "hello")
