"""What a launcher's variables say of a process's place among several, and what is refused."""

from __future__ import annotations

import pytest
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.storage.launched import Launched, launched

TORCHRUN = {
    "WORLD_SIZE": "4",
    "RANK": "3",
    "LOCAL_WORLD_SIZE": "2",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "node0",
    "MASTER_PORT": "29500",
}


@pytest.mark.parametrize("variables", [{}, {"WORLD_SIZE": "1"}, TORCHRUN | {"WORLD_SIZE": "1"}])
def test_a_process_alone_has_no_place_among_several(variables: dict[str, str]) -> None:
    assert launched(variables) is None


def test_the_place_is_what_torchrun_says() -> None:
    place = launched(TORCHRUN)
    assert place == Launched(3, 4, 1, 2, "node0")
    assert not place.is_on_one_machine


def test_processes_that_meet_on_the_loopback_device_are_on_one_machine() -> None:
    few = {k: v for k, v in TORCHRUN.items() if not k.startswith("LOCAL")}
    place = launched(few | {"MASTER_ADDR": "localhost"})
    assert place == Launched(3, 4, 3, 4, "localhost")
    assert place.is_on_one_machine


@pytest.mark.parametrize(
    "name", ["RANK", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK", "LOCAL_WORLD_SIZE"]
)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(InputError) as caught:
        launched({k: v for k, v in TORCHRUN.items() if k != name})
    assert Naming(name, "WORLD_SIZE") == str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("RANK", "4"), ("RANK", "-1"), ("RANK", "one"), ("LOCAL_RANK", "2"), ("WORLD_SIZE", "many")],
)
def test_a_number_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        launched(TORCHRUN | {name: value})
    assert Naming(name, value) == str(caught.value)
