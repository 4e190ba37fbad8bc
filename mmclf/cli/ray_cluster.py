"""The Ray that a command's runs go to, a cluster or one of this machine's own; a run's share."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mmclf.errors import InputError

INSTALL = "pip install 'mmclf[ray]'"
ANSWER_S = 10.0
# Nothing is told to Ray's makers, no worker's output is mixed into this process's.
QUIET = {"logging_level": "ERROR", "log_to_driver": False}
# By default Ray resolves 127.0.0.1 to an address that others reach, but where this is 0.
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@dataclass(frozen=True)
class Share:
    """What one run takes of a node: cores and GPUs, or parts of one."""

    num_cpus: float
    num_gpus: float

    def lacks(self, nodes: Sequence[Mapping[str, float]]) -> str | None:
        """What no node has, given the resources of each; None if one has all of it."""
        asked = {"CPU": self.num_cpus, "GPU": self.num_gpus}
        if any(
            all(node.get(name, 0.0) >= count for name, count in asked.items()) for node in nodes
        ):
            return None
        best = {name: max((node.get(name, 0.0) for node in nodes), default=0.0) for name in asked}
        return " with ".join(
            f"{count:g} {name} (at most {best[name]:g})" for name, count in asked.items() if count
        )


def check_ray(address: str) -> None:
    """Raise InputError unless Ray is installed and, for `auto`, a cluster is named and answers.

    One that is not named Ray would look for in a file below /tmp, which others may write.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError(f"hydra/launcher: Ray is not installed: {INSTALL}")
    if address == "local":
        return
    named = os.environ.get("RAY_ADDRESS", "")
    host, _, port = named.rpartition("://")[2].rpartition(":")
    if not host or not port.isdecimal() or int(port) >= 2**16:
        raise InputError(
            f"hydra.launcher.address={address}: found RAY_ADDRESS={named!r} in the environment, "
            "expected HOST:PORT, which `ray start --head` tells; hydra.launcher.address=local "
            "needs no cluster"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except OSError as error:
        raise InputError(
            f"hydra.launcher.address={address}: RAY_ADDRESS={named} does not answer "
            f"({error.strerror or error}): start it by `ray start --head`, or give "
            "hydra.launcher.address=local"
        ) from error


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Be connected to a Ray: `local` for one of this machine alone, `auto` for RAY_ADDRESS.

    One that this process is connected to already is used, and left. Raises InputError if there is
    none, or it refuses.
    """
    check_ray(address)
    # Read when Ray is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == "local":
        os.environ.setdefault(LOOPBACK, "0")
    # Late: docs/architecture.md#late-imports
    import ray

    if ray.is_initialized():
        yield
        return
    own = {"include_dashboard": False} if address == "local" else {}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, **QUIET, **own)
    except (ConnectionError, ray.exceptions.RayError, RuntimeError, ValueError) as error:
        raise InputError(
            f"hydra.launcher.address={address}: Ray refuses "
            f"({' '.join(str(error).split())[:300]}): see whether the cluster has this Ray "
            "and this token, or give hydra.launcher.address=local"
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray's own would end this process at once
    try:
        yield
    finally:
        ray.shutdown()
