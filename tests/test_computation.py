from __future__ import annotations

from typing import Any

import torch

from mmclf.computation import deterministic


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
