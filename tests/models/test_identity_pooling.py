"""The pooling of a text encoder is in its identity as what `auto` comes to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from model_folders import cached, model

from mmclf.config.schema import Node
from mmclf.models.identity import HUGGING_FACE, Identities, Identity
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.json_cache import JsonCache

TEXT_NODE: Node = {
    "_target_": HUGGING_FACE,
    "name": "some/net",
    "weights": "random",
    "pooling": "mean",
    "max_length": 64,
    "architecture": {"model_type": "bert", "hidden_size": 16},
    "package": None,
}

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(FileHasher(tmp_path / "sums"), JsonCache(tmp_path / "hub.json"), [])


def about(found: Identity | None) -> Mapping[str, Any]:
    assert found is not None
    return found.values


@pytest.mark.parametrize(
    ("model_type", "resolved"), [("bert", "mean"), ("gpt2", "last"), ("siglip", "pooler")]
)
def test_a_pooling_counts_as_what_it_comes_to(
    identities: Identities, tmp_path: Path, model_type: str, resolved: str
) -> None:
    config = f'{{"model_type": "{model_type}"}}'
    folder = str(model(tmp_path / "model", config=config))
    random = {"architecture": {"model_type": model_type}}
    for node in ({**TEXT_NODE, "weights": folder}, {**TEXT_NODE, **random}):
        found = {
            pooling: identities.encoder({**node, "pooling": pooling}, "text")
            for pooling in ("auto", "mean", "last", "pooler")
        }
        assert about(found["auto"])["pooling"] == resolved
        assert [name for name in found if found[name] == found["auto"]] == ["auto", resolved]


def test_a_random_text_model_of_the_hubs_config_waits_for_it(
    identities: Identities, cache: Path
) -> None:
    node = {**TEXT_NODE, "architecture": None, "pooling": "auto"}
    assert identities.encoder(node, "text") is None
    cached(cache, "some/net", config='{"model_type": "gpt2"}')
    assert about(identities.encoder(node, "text"))["pooling"] == "last"
