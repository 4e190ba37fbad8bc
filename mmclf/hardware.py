"""What a run ran on: device, processor, versions, commit."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from mmclf.errors import InputError

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
PACKAGES = ("mmclf", "torch", "torchvision", "timm", "transformers", "scikit-learn", "mlflow")


def pick_device(wanted: str) -> torch.device:
    """The device called `wanted`; `auto` is CUDA or MPS where there is one, else the CPU.

    Raises InputError if there is no such device.
    """
    if wanted == "auto":
        found = (
            torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        )
        return found if found is not None else torch.device("cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"device={wanted} cannot be used ({first}): choose auto or cpu") from error
    return device


def check_single_process() -> None:
    """Raise InputError in one of several processes: each would register a run of its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            f"found {os.environ['WORLD_SIZE']} processes, expected one: a run is not yet divided "
            "among processes; start mmclf without accelerate launch or torchrun"
        )


def check_precision(precision: str, device: torch.device) -> None:
    """Raise InputError if a model cannot be trained in `precision` (fp32, bf16, fp16) there."""
    if precision == "fp16" and device.type != "cuda":
        raise InputError(
            f"trainer.precision=fp16 needs a CUDA device, found {device.type}: choose fp32 or bf16"
        )
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise InputError(
            f"trainer.precision=bf16: {torch.cuda.get_device_name(device)} has no bf16: choose "
            "fp32 or fp16"
        )


def accelerator_on(device: torch.device, precision: str = "fp32") -> Accelerator:
    """What moves a model to `device` and trains it there, in mixed `precision` unless fp32."""
    # The state is shared by all of a process, and an earlier run may have had another device.
    AcceleratorState._reset_state(reset_partial_state=True)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return Accelerator(
        cpu=device.type == "cpu", mixed_precision="no" if precision == "fp32" else precision
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


def describe(device: torch.device) -> str:
    """The hardware in words, as `2 x Intel(R) Xeon(R) Processor` or `NVIDIA H200`."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = f"{cores} x {_processor()}"
    return name if device.type == "cpu" else f"{device.type} of {name}"


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
    root = Path(__file__).resolve().parent.parent
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
