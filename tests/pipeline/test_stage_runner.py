from __future__ import annotations

import os
from typing import Any

import pytest
import torch

from mmclf.pipeline.stage_runner import PROBED, WORKSPACE, deterministic, probe_size


def test_determinism_is_left_as_it_was_found() -> None:
    state = torch.random.get_rng_state()
    settings: Any = torch.utils.deterministic
    filled = settings.fill_uninitialized_memory
    with deterministic(3, torch.device("cpu")):
        assert torch.are_deterministic_algorithms_enabled()
        drawn = torch.rand(2)
    assert settings.fill_uninitialized_memory == filled
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.random.get_rng_state(), state)
    with deterministic(3, torch.device("cpu")):
        assert torch.equal(torch.rand(2), drawn)


@pytest.mark.parametrize("workspace", [None, ":16:8"])
def test_what_the_user_had_chosen_is_restored(
    monkeypatch: pytest.MonkeyPatch, workspace: str | None
) -> None:
    monkeypatch.delenv(WORKSPACE, raising=False)
    if workspace is not None:
        monkeypatch.setenv(WORKSPACE, workspace)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with deterministic(0, torch.device("cpu")):
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
            assert os.environ[WORKSPACE] == (workspace or ":4096:8")
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ.get(WORKSPACE) == workspace
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_gpu_compares_precisions_on_more_samples_than_a_cpu() -> None:
    assert probe_size(torch.device("cpu")) == PROBED
    assert probe_size(torch.device("cuda", 0)) > PROBED
