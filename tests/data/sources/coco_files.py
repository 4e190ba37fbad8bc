"""Files in MS COCO's format, written and read for the tests of the source and of its reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmclf.data.sources.coco import load
from mmclf.errors import InputError

NAMES = {
    "instances": "annotations/instances_train2017.json",
    "captions": "annotations/captions_train2017.json",
}


def write(root: Path, name: str, tree: object) -> None:
    """Write `instances`, `captions` or another file."""
    (root / NAMES.get(name, f"{name}.json")).write_text(json.dumps(tree))


def problems(root: Path, **arguments: Any) -> list[str]:
    """What the source refuses, in words that can be printed."""
    with pytest.raises(InputError) as caught:
        load(str(root), **arguments)
    assert all("\ud800" not in problem for problem in caught.value.problems)
    return list(caught.value.problems)
