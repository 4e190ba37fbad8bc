"""Settings that do not go with several processes are refused before anything is run."""

from __future__ import annotations

import pytest
from message_facts import Naming

import mmclf
from mmclf.errors import InputError, LostProcessError
from mmclf.pipeline.distributed.checks import check_processes
from mmclf.storage.launched import Launched
from mmclf.training.distributed.world import World

LAUNCHER = {"WORLD_SIZE": "4", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


def world_of(count: int) -> World:
    """A world in which nobody has been looked for."""
    return World(Launched(0, count, 0, count, "127.0.0.1"))


def refused(overrides: str, world: World | None) -> str:
    with pytest.raises(InputError) as caught:
        check_processes(mmclf.compose(overrides).config, world)
    return str(caught.value)


def test_a_batch_has_a_sample_for_each_process() -> None:
    check_processes(mmclf.compose("trainer.batch_size=4").config, world_of(4))
    assert refused("trainer.batch_size=3", world_of(4)) == Naming("trainer.batch_size=3", 4)


def test_a_script_is_not_shared_among_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    check_processes(mmclf.compose("").config, None)
    for name, value in LAUNCHER.items():
        monkeypatch.setenv(name, value)
    assert refused("", None) == Naming(4, "torchrun")


@pytest.mark.parametrize(("version", "is_refused"), [(None, True), ("1", True), ("2", False)])
def test_weights_are_shared_out_by_the_second_version_alone(
    monkeypatch: pytest.MonkeyPatch, version: str | None, is_refused: bool
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.delenv("FSDP_VERSION", raising=False)
    if version is not None:
        monkeypatch.setenv("FSDP_VERSION", version)
    if is_refused:
        assert refused("", world_of(2)) == Naming("version 1", 2, "--fsdp_version=2")
    else:
        check_processes(mmclf.compose("").config, world_of(2))


@pytest.mark.parametrize("name", ["DEEPSPEED", "MEGATRON_LM"])
def test_other_ways_of_accelerate_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"ACCELERATE_USE_{name}", "true")
    assert refused("", world_of(2)) == Naming(name)


def test_nothing_is_begun_when_a_process_has_gone() -> None:
    world = world_of(2)
    world._take(1, {"kind": "failed", "text": "why"})
    world._take(1, {"kind": "lost", "reason": "it has closed"})
    with pytest.raises(LostProcessError) as caught:
        check_processes(mmclf.compose("").config, world)
    assert str(caught.value) == Naming("process 1", "why")


def test_what_is_not_common_to_all_ends_the_world() -> None:
    world = world_of(2)
    with pytest.raises(ZeroDivisionError), world.together((ZeroDivisionError,)):
        raise ZeroDivisionError
    world.check()
    with pytest.raises(KeyError), world.together((ZeroDivisionError,)):
        raise KeyError
    with pytest.raises(LostProcessError):
        world.check()
    assert world.ending == Naming("KeyError")
