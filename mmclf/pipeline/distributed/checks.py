"""Settings that do not go with the number of processes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mmclf.config.schema import Config
from mmclf.errors import InputError
from mmclf.storage.launched import launched

if TYPE_CHECKING:
    from mmclf.training.distributed.world import World

PROCESSES_TAG = "mmclf.processes"


def check_processes(config: Config, world: World | None) -> None:
    """Raise InputError unless a run of this configuration can be made by these processes.

    LostProcessError where one of them has ended. A process without a `world` has to be alone: each
    of several would track a run of its own.
    """
    if world is None:
        process = launched()
        if process is not None:
            raise InputError(
                f"found {process.count} processes, expected one: a script that calls mmclf.run is "
                "not divided among processes, the command is: torchrun -m mmclf"
            )
        return
    world.check()
    for name in ("DEEPSPEED", "MEGATRON_LM"):
        if _is_set(f"ACCELERATE_USE_{name}"):
            raise InputError(
                f"accelerate: found {name}, expected data-parallel training or FSDP: choose one "
                "of them in accelerate config"
            )
    if _is_set("ACCELERATE_USE_FSDP"):
        version = os.environ.get("FSDP_VERSION", "1")
        if version != "2":
            raise InputError(
                f"accelerate: found version {version} of FSDP, expected 2: give --fsdp_version=2 "
                "to accelerate launch, or choose it in accelerate config"
            )
    batch = config.trainer.batch_size
    if batch < world.size:
        raise InputError(
            f"trainer.batch_size={batch}: expected at least {world.size}, a sample for each "
            "process: give more, or start fewer processes"
        )


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() == "true"
