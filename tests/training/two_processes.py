"""Runs functions in processes that are one world, and gives what each of them returns."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from mmclf.storage.launched import launched
from mmclf.training.distributed.world import World, join

HERE = Path(__file__)
WAIT_S = 600


def in_processes(count: int, module: str, *functions: str) -> dict[str, list[Any]]:
    """What each process returns of each function of `module`, which gets its world; as JSON has it.

    Raises AssertionError, with what they printed, unless all exit with 0.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = [str(HERE.parents[number]) for number in range(3)]
    common = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]),
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    with ExitStack() as stack:
        # Files, as a process that fills a pipe waits, and the others wait for it.
        files = [stack.enter_context(TemporaryFile("w+")) for _ in range(2 * count)]
        outputs, errors = files[:count], files[count:]
        processes = [
            subprocess.Popen(
                [sys.executable, str(HERE), module, *functions],
                env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=outputs[rank],
                stderr=errors[rank],
            )
            for rank in range(count)
        ]
        statuses = [process.wait(timeout=WAIT_S) for process in processes]
        for file in files:
            file.seek(0)
        assert statuses == [0] * count, "\n".join(file.read() for file in errors)
        of_ranks = [json.loads(file.read().splitlines()[-1]) for file in outputs]
    return {name: [found[name] for found in of_ranks] for name in functions}


def main(module: str, *names: str) -> None:
    """Call the functions in this process, and print what they return."""
    place = launched()
    assert place is not None
    world: World = join(place)
    functions = import_module(module)
    found = {name: getattr(functions, name)(world) for name in names}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    world.any(False)  # all have written
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
