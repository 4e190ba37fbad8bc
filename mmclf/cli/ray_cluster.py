"""The Ray that a command's runs go to, a cluster or one of this machine's own; a run's share."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mmclf.errors import InputError

INSTALL = "pip install 'mmclf[ray]'"
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


def check_ray() -> None:
    """Raise InputError unless Ray is installed."""
    if importlib.util.find_spec("ray") is None:
        raise InputError(f"hydra/launcher: Ray is not installed: {INSTALL}")


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Be connected to a Ray: `local` for one of this machine alone, `auto` for one that there is.

    One that this process is connected to already is used, and left. Raises InputError if there is
    none, or it refuses.
    """
    check_ray()
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
            f"hydra.launcher.address={address}: no Ray cluster answers ("
            f"{' '.join(str(error).split())[:300]}): start one by ray start --head, name it by "
            "RAY_ADDRESS, or give hydra.launcher.address=local"
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray's own would end this process at once
    try:
        yield
    finally:
        ray.shutdown()
