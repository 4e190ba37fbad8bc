"""Composes and plans small runs, each once, with no pretrained model at hand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from planned_keys import Keys, named_keys, stages_of, write_levels

from mmclf import compose
from mmclf.config.schema import Composed


@pytest.fixture(scope="module")
def nothing_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Empties the hub's cache."""
    with pytest.MonkeyPatch.context() as patched:
        empty = str(tmp_path_factory.mktemp("hub"))
        patched.setattr("huggingface_hub.constants.HF_HUB_CACHE", empty)
        yield


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_levels(tmp_path_factory.mktemp("levels"))


@pytest.fixture(scope="module")
def composed(outputs: Path, conf: Path) -> Callable[..., Composed]:
    """Composes a run, each once."""
    return functools.cache(
        lambda *lines: compose([f"output_dir={outputs}", *lines], config_dir=conf)
    )


@pytest.fixture(scope="module")
def keys_of(composed: Callable[..., Composed]) -> Callable[..., Keys]:
    """Gives the keys of a run."""
    return functools.cache(lambda *lines: named_keys(stages_of(composed(*lines).config)))
