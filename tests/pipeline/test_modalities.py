"""The keys of text views: what evaluation takes the mean of is in them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mmclf.data.samples import Samples
from mmclf.models.identity import Identity
from mmclf.pipeline.modalities import TextModality

NOTHING = np.zeros(2, dtype=bool)
LABELS = np.eye(2, dtype=np.uint8)
TWO = Samples(("0", "1"), (), ("a", "b"), LABELS, ("x", "y"), ("x", "y"), NOTHING, NOTHING)
CONFIG: Any = SimpleNamespace(text=SimpleNamespace(lr=0.1))
FROZEN = Identity({"net": "some"}, is_fitted=False, takes_captions=False)


def with_others(*others: tuple[str, ...]) -> Any:
    parts = SimpleNamespace(train=np.array([0, 1]))
    return SimpleNamespace(samples=replace(TWO, other_captions=others), parts=parts)


def keys(data: Any, identity: Identity = FROZEN) -> list[str]:
    stages = TextModality().feature_stages(CONFIG, data, identity, "fp32")
    return [stage.key for stage in stages]


def test_the_first_captions_have_the_key_that_they_have_alone() -> None:
    assert keys(with_others(("c",), ("d", "e")))[:1] == keys(with_others())
    assert len(keys(with_others(("c",), ("d", "e")))) == 3


def test_how_many_captions_there_are_counts_where_the_views_are_the_same() -> None:
    # A sample with fewer captions starts again at its first: as if that stood there.
    fewer, more = with_others(("c",), ("d", "e")), with_others(("c", "a"), ("d", "e"))
    views = [[of.samples.caption_view(view) for view in range(3)] for of in (fewer, more)]
    assert views[0] == views[1]
    assert keys(fewer) != keys(more)
    raw = [TextModality().raw_input(CONFIG, of, FROZEN) for of in (fewer, more)]
    assert raw[0] != raw[1]


@pytest.mark.parametrize("kind", ["is_fitted", "takes_captions"])
def test_an_encoder_that_learns_from_captions_learns_from_all(kind: str) -> None:
    learning = Identity(
        {"net": "some"}, **{"is_fitted": False, "takes_captions": False, kind: True}
    )
    first, second = with_others(("c",), ("d",)), with_others(("c",), ("e",))
    assert keys(first, learning)[0] != keys(second, learning)[0]
    assert keys(first)[0] == keys(second)[0]
