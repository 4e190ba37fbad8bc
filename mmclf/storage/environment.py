"""What a run ran on: processor, versions, commit. Nothing here waits for torch."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from mmclf.errors import InputError

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
# Without any of these, Linux has no device but the CPU that torch could find.
DEVICE_FILES = ("nvidia*", "nvhost*", "nvmap", "kfd", "dri/renderD*", "dxg", "accel*")
PACKAGES = ("mmclf", "torch", "torchvision", "timm", "transformers", "scikit-learn", "mlflow")


def check_single_process() -> None:
    """Raise InputError in one of several processes: each would register a run of its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            f"found {os.environ['WORLD_SIZE']} processes, expected one: a run is not yet divided "
            "among processes; start mmclf without accelerate launch or torchrun"
        )


def keep_freed_memory() -> None:
    """Let the process keep the memory that it frees, where the C library is glibc.

    A network's activations are freed and asked for again with every batch; given back to the system
    and mapped anew each time, they cost EfficientNet-Lite0 a quarter of its speed on two cores.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def is_surely_cpu(wanted: str) -> bool:
    """Whether the device called `wanted` is the CPU; False also where only torch could tell."""
    if wanted == "auto":
        found = any(True for name in DEVICE_FILES for _ in Path("/dev").glob(name))
        return sys.platform == "linux" and not found
    return wanted == "cpu"


def describe_cpu() -> str:
    """The processor in words, as `2 x Intel(R) Xeon(R) Processor`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} x {_processor()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> str:
    """The versions of what decides a run's numbers, as `mmclf 0.1.0, torch 2.12.1, ...`."""
    found = [f"python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} (not installed)")
    return ", ".join(found)


def commit() -> str | None:
    """The commit of mmclf's own source, `-dirty` if changed since; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()
