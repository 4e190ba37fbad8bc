"""Packages by name and version: never where they came from."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from mmclf.storage.packages import installed_packages

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def distribution(folder: Path, name: str, version: str, origin: object = None) -> None:
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))


def found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    listed = [*metadata.distributions(path=[str(folder)])]
    monkeypatch.setattr(metadata, "distributions", lambda: listed)
    installed_packages.cache_clear()
    try:
        return installed_packages()
    finally:
        installed_packages.cache_clear()


def test_each_is_named_once_with_its_version_and_without_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "https://me:secret@host.example/x"
    distribution(tmp_path, "plain", "1.0+cu126")
    distribution(
        tmp_path, "Own", "2", {"url": f"file://{tmp_path}", "dir_info": {"editable": True}}
    )
    distribution(tmp_path, "folder", "3", {"url": f"file://{tmp_path}", "dir_info": {}})
    distribution(tmp_path, "repo", "4", {"url": secret, "vcs_info": {"commit_id": COMMIT}})
    distribution(tmp_path, "odd", "5", {"url": secret, "vcs_info": {"commit_id": secret}})
    distribution(tmp_path, "wheel", "6", {"url": secret, "archive_info": {}})
    distribution(tmp_path, "list", "7", [secret])
    distribution(tmp_path, "bad", secret)
    assert found(tmp_path, monkeypatch) == (
        "folder==3 (from a folder)",
        "list==7",
        "odd==5 (from a repository)",
        "Own==2 (editable)",
        "plain==1.0+cu126",
        f"repo==4 (commit {COMMIT})",
        "wheel==6 (from a file)",
    )


def test_of_two_the_first_on_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a_b", "a-b"):
        (tmp_path / name).mkdir()
    distribution(tmp_path / "a_b", "a_b", "1")
    distribution(tmp_path / "a-b", "a-b", "2")
    listed = [*metadata.distributions(path=[str(tmp_path / "a_b"), str(tmp_path / "a-b")])]
    monkeypatch.setattr(metadata, "distributions", lambda: listed)
    installed_packages.cache_clear()
    assert installed_packages() == ("a_b==1",)
    installed_packages.cache_clear()


def test_what_is_imported_here_is_listed() -> None:
    lines = installed_packages()
    assert f"numpy=={metadata.version('numpy')}" in {line.partition(" ")[0] for line in lines}
    assert not any("://" in line or "/" in line for line in lines)
