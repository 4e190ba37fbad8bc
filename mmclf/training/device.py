"""The device that torch computes on: selection, description, and training on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

from mmclf.errors import InputError
from mmclf.storage import environment

# What trainer.accumulate is for; and that by which accelerate takes a process for one of several.
OWN_SETTINGS = ("ACCELERATE_GRADIENT_ACCUMULATION_STEPS",)
LAUNCHED = (
    *OWN_SETTINGS,
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "ACCELERATE_USE_FSDP",
)


def pick_device(name: str, local_rank: int | None = None) -> torch.device:
    """The device `name`; `auto` is CUDA or MPS if available, else the CPU.

    Of several processes on a machine each has the GPU of its number `local_rank`. Raises InputError
    if there is no such device.
    """
    device = _named_device(name)
    if local_rank is None or device.type != "cuda":
        return device
    if device.index not in (None, local_rank):
        raise InputError(
            f"device={name}: each of several processes has a GPU of its own: choose auto or cuda"
        )
    if local_rank >= torch.cuda.device_count():
        raise InputError(
            f"device={name}: found {torch.cuda.device_count()} GPUs, expected one for each process "
            f"on a machine, of which this is number {local_rank + 1}: start fewer, or choose "
            "device=cpu"
        )
    return torch.device("cuda", local_rank)


def _named_device(name: str) -> torch.device:
    if name == "auto":
        current = (
            torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        )
        return current if current is not None else torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device={name} cannot be used ({reason}): choose auto or cpu") from error
    return device


def check_precision(precision: str, device: torch.device) -> None:
    """Raise InputError unless the device supports training in `precision` (fp32, bf16, fp16)."""
    if precision == "fp16" and device.type != "cuda":
        raise InputError(
            f"trainer.precision=fp16 needs a CUDA device, found {device.type}: choose fp32 or bf16"
        )
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise InputError(
            f"trainer.precision=bf16: {torch.cuda.get_device_name(device)} has no bf16: choose "
            "fp32 or fp16"
        )


@contextmanager
def accelerator_on(
    device: torch.device, precision: str = "fp32", *, alone: bool = True
) -> Iterator[Accelerator]:
    """An Accelerator on `device`, in mixed `precision` unless fp32.

    Accelerate has one state for the whole process: the state is restored after the block. Unless
    `alone`, it prepares models for all the processes that a launcher has started, if it has.
    """
    # Changed in place: assigning to `_shared_state` would replace its descriptor.
    states = [state._shared_state for state in (PartialState, AcceleratorState, GradientState)]
    saved = [dict(state) for state in states]
    current = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    try:
        for state in states:
            state.clear()
        with current:
            with _hidden(LAUNCHED if alone else OWN_SETTINGS):
                accelerator = Accelerator(
                    cpu=device.type == "cpu",
                    mixed_precision="no" if precision == "fp32" else precision,
                )
            yield accelerator
    finally:
        for state, values in zip(states, saved, strict=True):
            state.clear()
            state.update(values)


@contextmanager
def _hidden(names: Sequence[str]) -> Iterator[None]:
    """Hide variables of the environment within the block."""
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def device_name(device: torch.device) -> str:
    """Describe the hardware, as `2 x Intel(R) Xeon(R) Processor` or `NVIDIA H200`."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpu = environment.describe_cpu()
    return cpu if device.type == "cpu" else f"{device.type} of {cpu}"
