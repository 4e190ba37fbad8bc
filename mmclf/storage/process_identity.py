"""Which process a name means, and whether it is gone, as far as that can be seen from here."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from pathlib import Path

from mmclf.storage.batch_job import batch_job

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_SPACE = Path("/proc/self/ns/pid")
START = 19  # of the fields of /proc/PID/stat behind the name: the ticks at which it started


def this_process() -> str:
    """As `host/machine/pid/started/job`: no other process, before or after, has this name.

    `machine` tells boots and containers apart, as numbers of processes begin anew in each; `job` is
    empty, or as `slurm 12_0#1` with how often it was requeued.
    """
    own = os.getpid()
    return f"{socket.gethostname()}/{_machine()}/{own}/{_started(own)}/{_job()}"


def is_gone(name: str) -> bool:
    """Whether a process is known to have ended.

    One of another machine is, if this process is of the same job, which was requeued since.
    """
    parts = name.rsplit("/", 4)
    if len(parts) != 5 or not parts[2].isdecimal():
        return False
    _, machine, pid, started, job = parts
    if machine == _machine():
        return _started(int(pid)) != started
    (theirs, _, before), (ours, _, now) = job.rpartition("#"), _job().rpartition("#")
    return theirs == ours != "" and before.isdecimal() and int(before) < int(now)


def is_of_this_machine(name: str) -> bool:
    """Whether a process is, or was, of this boot of this machine, and of its process numbers."""
    parts = name.rsplit("/", 4)
    return len(parts) == 5 and parts[1] == _machine()


def _job() -> str:
    job = batch_job()
    return f"{job.name}#{job.restarts}" if job is not None else ""


@cache
def _machine() -> str:
    """The boot of the machine and the space of process numbers; random where neither is told."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
        return f"{boot}-{PID_SPACE.stat().st_ino}"
    except OSError:
        return uuid.uuid4().hex


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; empty if it has ended."""
    try:
        # The name in brackets may hold spaces and brackets itself.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    after = fields.rpartition(")")[2].split()
    return "" if after[0] in ("Z", "X") else after[START]
