"""A command in several processes: the main one runs it, the others compute what it orders."""

from __future__ import annotations

import signal
from collections.abc import Callable

from mmclf.errors import LostProcessError, tell
from mmclf.pipeline.distributed.follower import follow
from mmclf.storage.launched import Launched
from mmclf.training.distributed.world import World, join


def run_in_processes(process: Launched, run: Callable[[World], int]) -> int:
    """The exit status of `run`, in the main process; in another, when that has ended.

    Raises InputError if the processes do not find each other.
    """
    world = join(process)
    if not world.is_main:
        try:
            status = follow(world)
        except BaseException as error:
            world.fail(error)
        world.leave()
        if world.is_over:
            tell(f"process {world.rank}: {world.ending}")
        return status
    signal.signal(signal.SIGTERM, world.interrupt)
    try:
        status = run(world)
    except LostProcessError as error:
        tell(str(error))
        status = 1
    except BaseException:
        world.end(1)
        raise
    if status == 0 and world.is_over:
        tell(f"{world.ending}, though nothing was left for it to do")
        status = 1
    world.end(status)
    return status
