"""Folders of a text model, as in the hub's cache or a package; words stand for its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mmclf.config.schema import Node
from mmclf.models.identity import HUGGING_FACE, Identities, Identity
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.json_cache import JsonCache

PACKAGE = {"distribution": "own-net", "path": "own_net/model", "sha256": "not looked at here"}
FILES = {"model.safetensors": "weights", "config.json": "{}", "tokenizer/vocab.txt": "a b"}
TEXT_NODE: Node = {
    "_target_": HUGGING_FACE,
    "name": "some/net",
    "weights": "random",
    "pooling": "mean",
    "max_length": 64,
    "architecture": {"model_type": "bert", "hidden_size": 16},
    "package": None,
}


def model(folder: Path, **changed: str) -> Path:
    """A model's folder; `changed`: contents by the stem of their file."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.stem, text))
    return folder


def cached(cache: Path, repository: str, **changed: str) -> Path:
    """A repository in the hub's cache, its folder."""
    place = cache / f"models--{repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("1" * 40)
    return model(place / "snapshots" / ("1" * 40), **changed)


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    """The package own-net with a model in it."""
    site = tmp_path / "site"
    (site / "own_net-1.0.dist-info").mkdir(parents=True)
    output = "Metadata-Version: 2.1\nName: own-net\nVersion: 1.0\n"
    (site / "own_net-1.0.dist-info" / "METADATA").write_text(output)
    model(site / "own_net" / "model", **changed)
    monkeypatch.syspath_prepend(site)


def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def new_identities(tmp_path: Path) -> Identities:
    """Of encoders whose files no process has looked at."""
    return Identities(FileHasher(tmp_path / "sums"), JsonCache(tmp_path / "hub.json"), [])


def about(identity: Identity | None) -> Mapping[str, Any]:
    assert identity is not None
    return identity.values
