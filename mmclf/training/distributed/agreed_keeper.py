"""Checkpoints of a fit in several processes, at a step that all of them agree on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from mmclf.training.checkpoint import Checkpoint, Keeper
from mmclf.training.distributed.world import World
from mmclf.training.interruption import SIGNALS
from mmclf.training.learner_state import random_states


class AgreedKeeper:
    """A keeper whose checkpoint is wanted in all processes as soon as it is in one.

    The main process keeps it, with the states of all processes' generators.

    Args:
        keeper: of this process.
        world: of the processes.
        device: that they train on.
        is_asked: whether checkpoints may be wanted at any step; False saves asking.

    """

    def __init__(
        self, keeper: Keeper, world: World, device: torch.device, *, is_asked: bool
    ) -> None:
        self._keeper, self._world, self._device = keeper, world, device
        self._is_asked = is_asked
        self._is_wanted_elsewhere = False

    @property
    def resumed(self) -> Checkpoint | None:
        """Where an earlier attempt was."""
        return self._keeper.resumed

    @property
    def is_wanted(self) -> bool:
        """Whether a checkpoint is wanted in any process; all have to ask at once."""
        if not self._is_asked:
            return False
        here = self._keeper.is_wanted
        wanted = self._world.any(here)
        self._is_wanted_elsewhere = wanted and not here
        return wanted

    def is_due(self, epoch: int) -> bool:
        """Whether the interval is over."""
        return self._keeper.is_due(epoch)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep it; all processes have to at once."""
        state = checkpoint.learner
        random = gathered_random(state.random, self._world)
        self._keeper.keep(replace(checkpoint, learner=replace(state, random=random)))
        self._end_if_wanted_elsewhere()

    def refuse(self, error: Exception) -> None:
        """Begin anew."""
        self._keeper.refuse(error)

    def give_way(self) -> None:
        """End the fit without a checkpoint if one is wanted; all processes have to ask at once."""
        if self.is_wanted:
            self._keeper.give_way()
            self._end_if_wanted_elsewhere()

    def _end_if_wanted_elsewhere(self) -> None:
        """End the main process, and so all, as of a signal that only another one has got."""
        if self._is_wanted_elsewhere and self._world.is_main:
            raise KeyboardInterrupt
        self._is_wanted_elsewhere = False


class FollowingKeeper:
    """Keeps nothing: that of a process which is not the main one.

    Args:
        resumed: where an earlier attempt was.
        every: epochs between two checkpoints; None for none.
        flag: of the signals that this process gets.

    """

    def __init__(self, resumed: Checkpoint | None, every: int | None, flag: SignalFlag) -> None:
        self.resumed, self._every, self._flag = resumed, every, flag

    @property
    def is_wanted(self) -> bool:
        """Whether a signal has come."""
        return self._flag.is_set

    def is_due(self, epoch: int) -> bool:
        """Whether the interval is over."""
        return self._every is not None and epoch % self._every == 0

    def keep(self, _checkpoint: Checkpoint) -> None:
        """Take that the main process has kept one."""
        self._flag.is_set = False

    def refuse(self, _error: Exception) -> None:
        """Begin anew."""
        self.resumed = None

    def give_way(self) -> None:
        """Leave it to the main process to end."""
        self._flag.is_set = False


class SignalFlag:
    """Whether a signal has asked this process to end, which it leaves to the main one."""

    def __init__(self) -> None:
        self.is_set = False

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of a signal."""
        self.is_set = True


@contextmanager
def flagged_signals() -> Iterator[SignalFlag]:
    """Let signals set a flag within the block; Ctrl-C, which reaches all, is the main one's."""
    flag = SignalFlag()
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}
    handlers[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    for number in SIGNALS:
        signal.signal(number, flag.note)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield flag
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def gathered_random(states: dict[str, Tensor] | Any, world: World) -> dict[str, Tensor]:
    """The states of all processes' generators: `cpu` of the main one, `cpu/1` of the next.

    Args:
        states: of this process, by kind of device.
        world: of the processes.

    """
    sizes = [len(state) for state in states.values()]
    flat = torch.cat([state.cpu() for state in states.values()])
    rows = world.gather(flat, [len(flat)] * world.size)
    gathered = {}
    for rank, row in enumerate(rows):
        for name, state in zip(states, torch.split(row, sizes), strict=True):
            gathered[name if rank == 0 else f"{name}/{rank}"] = state.clone()
    return gathered


def own_random(states: dict[str, Tensor] | Any, rank: int, device: torch.device) -> dict[str, Any]:
    """The states of the generators of process `rank`; the present ones where there are none."""
    present = random_states(device)
    return {name: states.get(f"{name}/{rank}", state) for name, state in present.items()}
