"""What is said of the hardware and the versions, and how many processes there may be."""

from __future__ import annotations

from importlib import metadata

import pytest

from mmclf.errors import InputError
from mmclf.storage import environment


def test_hardware_and_versions_are_in_words() -> None:
    assert " x " in environment.describe_cpu()
    assert f"torch {metadata.version('torch')}" in environment.versions()


@pytest.mark.parametrize(("count", "is_refused"), [("1", False), ("2", True)])
def test_several_processes_are_refused(
    monkeypatch: pytest.MonkeyPatch, count: str, is_refused: bool
) -> None:
    monkeypatch.setenv("WORLD_SIZE", count)
    if is_refused:
        with pytest.raises(InputError, match="found 2 processes"):
            environment.check_single_process()
    else:
        environment.check_single_process()
