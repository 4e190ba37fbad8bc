"""The environment of a run: processor, versions, commit. Nothing here imports torch."""

from __future__ import annotations

import ctypes
import getpass
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
# How often a thread of GNU's OpenMP looks before it sleeps; its own default is 300,000.
SPIN_COUNT = 10_000
WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
# Without any of these device files, torch finds only the CPU on Linux.
DEVICE_FILES = ("nvidia*", "nvhost*", "nvmap", "kfd", "dri/renderD*", "dxg", "accel*")
DIRTY, COMMIT_DIGITS = "-dirty", 12
PACKAGES = ("mmclf", "torch", "torchvision", "timm", "transformers", "scikit-learn", "mlflow")


def keep_freed_memory() -> None:
    """Let the process keep freed memory instead of returning it to the system (glibc only).

    A network's activations are freed and allocated again with every batch; returning them to the
    system each time costs EfficientNet-Lite0 a quarter of its speed on two cores.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def wait_without_spinning() -> None:
    """Let torch's threads sleep soon when they wait for each other; before torch is imported.

    Threads that look again and again, as OpenMP's own default has it, take from the processes
    beside them what they then wait for: beside two busy processes on two cores encoding gets four
    fifths of its fair share so, and two fifths otherwise. Fewer threads would help too, and give
    other last bits of results. What the user has set stays.
    """
    if not any(name in os.environ for name in WAITING):
        os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)


def share_cores(processes: int) -> None:
    """Let torch use this one's share of the cores, of so many processes; before it is imported.

    What the user or torchrun has set stays.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = str(max(usable_cores() // processes, 1))


def usable_cores() -> int:
    """The number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def is_surely_cpu(device: str) -> bool:
    """Whether the device named `device` is the CPU; False too where only torch can tell."""
    if device == "auto":
        has_accelerator = any(True for name in DEVICE_FILES for _ in Path("/dev").glob(name))
        return sys.platform == "linux" and not has_accelerator
    return device == "cpu"


def describe_cpu() -> str:
    """The number of usable cores and the processor's name, as `2 x Intel(R) Xeon(R) Processor`."""
    return f"{usable_cores()} x {_processor()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> str:
    """The versions of the packages that affect results, as `mmclf 0.1.0, torch 2.12.1, ...`."""
    parts = [f"python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            parts.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            parts.append(f"{package} (not installed)")
    return ", ".join(parts)


@dataclass(frozen=True)
class Revision:
    """The commit of mmclf's source, in full, and whether files were changed since."""

    commit: str
    is_dirty: bool

    def __str__(self) -> str:
        """The commit in short, with `-dirty` if files were changed since."""
        return f"{self.commit[:COMMIT_DIGITS]}{DIRTY if self.is_dirty else ''}"


def revision() -> Revision | None:
    """The revision of mmclf's source; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    text = described.stdout.strip()
    return Revision(text.removesuffix(DIRTY), text.endswith(DIRTY))


def commit() -> str | None:
    """The commit of mmclf's source, short, with `-dirty` if changed since; None without one."""
    source = revision()
    return None if source is None else str(source)


def user() -> str:
    """The name of the user whose process this is; `unknown` where the system has none."""
    try:
        return getpass.getuser()
    # Of a user id without an entry, as in containers: KeyError, from Python 3.13 on OSError.
    except (KeyError, OSError, ImportError):
        return "unknown"
