from __future__ import annotations

import pytest
import torch

from mmclf import devices
from mmclf.errors import InputError


def test_auto_is_a_device_that_works() -> None:
    device = devices.pick_device("auto")
    assert torch.ones(2, device=device).sum().item() == 2


@pytest.mark.parametrize("wanted", ["tpu:7", "cuda:99", "nonsense", ""])
def test_a_device_that_is_not_there_is_answered(wanted: str) -> None:
    with pytest.raises(InputError, match=f"device={wanted} cannot be used .*choose auto or cpu"):
        devices.pick_device(wanted)


def test_an_accelerator_trains_where_it_was_told_to_whatever_came_before() -> None:
    for _ in range(2):
        assert devices.accelerator_on(torch.device("cpu")).device.type == "cpu"


def test_a_device_is_in_words() -> None:
    assert " x " in devices.describe(torch.device("cpu"))
