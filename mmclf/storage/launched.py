"""How this process was launched: alone, or as one of several that make a run together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from mmclf.errors import InputError

LAUNCHERS = "torchrun or accelerate launch, which set it"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Launched:
    """A process's rank among several, as torchrun's environment variables say.

    Args:
        rank: its number, from 0; 0 is the main process.
        count: of all processes.
        local_rank: its number among those on this machine.
        local_count: of the processes on this machine.
        address: of the main process's machine.

    """

    rank: int
    count: int
    local_rank: int
    local_count: int
    address: str

    @property
    def is_on_one_machine(self) -> bool:
        """Whether all processes are on this machine."""
        return self.local_count == self.count


def launched(variables: Mapping[str, str] = os.environ) -> Launched | None:
    """The rank of this process among several; None for a process alone.

    Raises InputError for variables that are missing or contradict each other.
    """
    if _number(variables, "WORLD_SIZE", 1) <= 1:
        return None
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        if not variables.get(name):
            raise InputError(
                f"{name} is missing beside WORLD_SIZE={variables['WORLD_SIZE']}: expected where "
                f"the main process is reached: start mmclf by {LAUNCHERS}"
            )
    count = _number(variables, "WORLD_SIZE", None)
    rank = _number(variables, "RANK", None)
    # Who is reached there alone is on this machine, as all others are.
    is_local = variables.get("MASTER_ADDR") in (LOOPBACK, "localhost", "::1")
    local_count = _number(variables, "LOCAL_WORLD_SIZE", count if is_local else None)
    local_rank = _number(variables, "LOCAL_RANK", rank if is_local else None)
    for name, number, size in (("", rank, count), ("LOCAL_", local_rank, local_count)):
        if number >= size:
            raise InputError(
                f"{name}RANK={number}: expected one below {name}WORLD_SIZE={size}: start mmclf by "
                f"{LAUNCHERS}"
            )
    return Launched(rank, count, local_rank, local_count, variables["MASTER_ADDR"])


def _number(variables: Mapping[str, str], name: str, default: int | None) -> int:
    text = variables.get(name, "" if default is None else str(default))
    if not text.isascii() or not text.isdecimal():
        problem = f"found {text!r}" if text else "it is missing beside WORLD_SIZE"
        raise InputError(f"{name}: {problem}, expected a number: start mmclf by {LAUNCHERS}")
    return int(text)
