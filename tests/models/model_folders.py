"""Folders of a text model, as in the hub's cache or a package; words stand for its weights."""

from __future__ import annotations

from pathlib import Path

import pytest

PACKAGE = {"distribution": "own-net", "path": "own_net/model", "sha256": "not looked at here"}
FILES = {"model.safetensors": "weights", "config.json": "{}", "tokenizer/vocab.txt": "a b"}


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
