from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
import torch
from accelerate.state import AcceleratorState, GradientState, PartialState
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.training.device import accelerator_on, device_name, pick_device


def test_auto_is_a_device_that_works() -> None:
    device = pick_device("auto")
    assert torch.ones(2, device=device).sum().item() == 2


@pytest.mark.parametrize("wanted", ["tpu:7", "cuda:99", "nonsense", ""])
def test_a_device_that_is_not_there_is_answered(wanted: str) -> None:
    with pytest.raises(InputError, match=f"^device={wanted} .*auto or cpu"):
        pick_device(wanted)


def test_an_accelerator_trains_on_its_device_whatever_came_before() -> None:
    for _ in range(2):
        with accelerator_on(torch.device("cpu")) as accelerator:
            assert accelerator.device.type == "cpu"


@pytest.mark.parametrize("wanted", ["cuda", "cuda:1"])
def test_a_gpu_is_the_current_one_while_it_trains(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one without a number, as `device=auto` gives it, which `set_device` refuses."""
    current: list[torch.device] = []

    @contextlib.contextmanager
    def device(chosen: torch.device) -> Iterator[None]:
        current.append(chosen)
        yield
        current.pop()

    def set_device(chosen: torch.device) -> None:
        raise ValueError(f"Expected a torch.device with a specified index, but got: {chosen}")

    monkeypatch.setattr(torch.cuda, "device", device)
    monkeypatch.setattr(torch.cuda, "set_device", set_device)
    with accelerator_on(torch.device(wanted)):
        assert current == [torch.device(wanted)]
    assert current == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("wanted", ["auto", "cuda", "cuda:0"])
def test_an_accelerator_trains_on_a_gpu(wanted: str) -> None:
    with accelerator_on(pick_device(wanted)) as accelerator:
        model = accelerator.prepare(torch.nn.Linear(2, 2))
        assert model.weight.device.type == accelerator.device.type == "cuda"


@pytest.mark.parametrize("raises", [False, True])
def test_an_accelerator_leaves_no_precision_behind(raises: bool) -> None:
    states = (PartialState, AcceleratorState, GradientState)
    before = [dict(state._shared_state) for state in states]
    bf16 = accelerator_on(torch.device("cpu"), "bf16")
    with contextlib.suppress(ZeroDivisionError), bf16 as accelerator:
        assert accelerator.mixed_precision == "bf16"
        if raises:
            raise ZeroDivisionError
    assert [dict(state._shared_state) for state in states] == before


def test_an_accelerator_of_ones_own_is_left_as_it_was() -> None:
    with accelerator_on(torch.device("cpu"), "bf16") as own:
        with accelerator_on(torch.device("cpu")) as inner:
            assert inner.mixed_precision == "no"
        assert own.mixed_precision == AcceleratorState().mixed_precision == "bf16"


def test_a_device_is_in_words() -> None:
    assert " x " in device_name(torch.device("cpu"))


@pytest.mark.parametrize("alone", [True, False])
def test_a_launcher_is_not_seen_unless_models_are_prepared_for_it(
    monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    launcher = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    for name, value in launcher.items():
        monkeypatch.setenv(name, value)
    seen: list[str | None] = []

    def accelerator(**_: object) -> None:
        seen.append(os.environ.get("LOCAL_RANK"))

    monkeypatch.setattr("mmclf.training.device.Accelerator", accelerator)
    with accelerator_on(torch.device("cpu"), alone=alone):
        assert seen == [None if alone else "0"]
    assert {name: os.environ[name] for name in launcher} == launcher


def test_each_process_on_a_machine_has_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmclf.training.device._named_device", torch.device)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda", 1) == torch.device("cuda", 1)
    assert pick_device("cpu", 5) == torch.device("cpu")
    for name, rank, named in (("cuda", 2, (2, 3)), ("cuda:0", 1, ("cuda:0",))):
        with pytest.raises(InputError) as caught:
            pick_device(name, rank)
        assert str(caught.value) == Naming(*named)
