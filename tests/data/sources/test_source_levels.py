"""The levels of data, split and image: what they compose to, and what they say of defaults."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mmclf import compose
from mmclf.data.samples import Samples


@pytest.mark.parametrize("name", ["table", "coco"])
def test_a_level_states_the_loaders_defaults(name: str) -> None:
    path = Path(__file__).parents[3] / "conf" / "data" / f"{name}.yaml"
    level = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, function = level.pop("_target_").rpartition(".")
    loader: Callable[..., Samples] = getattr(importlib.import_module(module), function)
    empty = inspect.Parameter.empty
    defaults = {
        key: "???" if parameter.default is empty else parameter.default
        for key, parameter in inspect.signature(loader).parameters.items()
    }
    assert level == defaults


@pytest.mark.parametrize(
    "overrides",
    [
        ["data=table", "data.root=here", "data.file=t.csv", "data.labels=[dog, 1]"],
        ["data=coco", "data.root=here", "data.categories=[1, dog]", "data.captions=null"],
    ],
)
def test_the_levels_of_data_compose(overrides: list[str]) -> None:
    node = compose(overrides).tree["data"]
    assert node["root"] == "here"
    assert node.get("labels", node.get("categories")) in (["dog", 1], [1, "dog"])


def test_the_levels_of_split_and_image_compose() -> None:
    config = compose(["split=random", "image=center_crop"]).config
    assert (config.split.method, config.split.val, config.split.test) == ("random", 0.1, 0.1)
    assert (config.image.size, config.image.crop) == (224, 0.875)
    config = compose([]).config
    assert (config.split.method, config.image.size, config.image.crop) == ("iterative", 224, None)
