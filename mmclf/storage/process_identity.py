"""Which process a name means, and whether it is gone, as far as that can be seen from here."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_SPACE = Path("/proc/self/ns/pid")
START = 19  # of the fields of /proc/PID/stat behind the name: the ticks at which it started


def this_process() -> str:
    """As `host/machine/pid/started`: no other process, before or after, has this name.

    `machine` tells boots and containers apart, as numbers of processes begin anew in each.
    """
    return f"{socket.gethostname()}/{_machine()}/{os.getpid()}/{_started(os.getpid())}"


def is_gone(name: str) -> bool:
    """Whether a process is known to have ended; False for one of another machine."""
    parts = name.rsplit("/", 3)
    if len(parts) != 4 or not parts[2].isdecimal() or parts[1] != _machine():
        return False
    return _started(int(parts[2])) != parts[3]


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
