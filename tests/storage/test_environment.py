"""What is said of the hardware and the versions, and how many processes there may be."""

from __future__ import annotations

import os
from importlib import metadata

import pytest

from mmclf.cli.main import main
from mmclf.storage import environment


def test_hardware_and_versions_are_in_words() -> None:
    assert " x " in environment.describe_cpu()
    assert f"torch {metadata.version('torch')}" in environment.versions()


def test_threads_wait_as_the_user_says_or_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.WAITING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    environment.wait_without_spinning()
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    environment.wait_without_spinning()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    environment.wait_without_spinning()
    assert int(os.environ["GOMP_SPINCOUNT"]) == environment.SPIN_COUNT


def test_the_command_lets_threads_wait_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    assert main(["--version"]) == 0
    assert int(os.environ["GOMP_SPINCOUNT"]) == environment.SPIN_COUNT
