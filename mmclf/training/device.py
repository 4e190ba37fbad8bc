"""The device that torch computes on: found, described, trained on.

Torch is waited for only where it is needed: a run whose results are stored does without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from mmclf.errors import InputError
from mmclf.storage import environment

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator


def describe_device(wanted: str) -> str:
    """The hardware behind the device called `wanted`, in words; raises InputError if it lacks."""
    if environment.is_surely_cpu(wanted):
        return environment.describe_cpu()
    return device_name(pick_device(wanted))


def pick_device(wanted: str) -> torch.device:
    """The device called `wanted`; `auto` is CUDA or MPS where there is one, else the CPU.

    Raises InputError if there is no such device.
    """
    import torch

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


def check_precision(precision: str, device: torch.device) -> None:
    """Raise InputError if a model cannot be trained in `precision` (fp32, bf16, fp16) there."""
    import torch

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
def accelerator_on(device: torch.device, precision: str = "fp32") -> Iterator[Accelerator]:
    """What moves a model to `device` and trains it there, in mixed `precision` unless fp32.

    Accelerate has one state for the whole process: within the block it is this accelerator's, after
    it again what it was before.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState, PartialState

    # Changed in place: to assign to `_shared_state` would replace the descriptor that holds it.
    shared = [state._shared_state for state in (PartialState, AcceleratorState, GradientState)]
    before = [dict(state) for state in shared]
    current = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    try:
        for state in shared:
            state.clear()
        with current:
            yield Accelerator(
                cpu=device.type == "cpu",
                mixed_precision="no" if precision == "fp32" else precision,
            )
    finally:
        for state, values in zip(shared, before, strict=True):
            state.clear()
            state.update(values)


def device_name(device: torch.device) -> str:
    """The hardware in words, as `2 x Intel(R) Xeon(R) Processor` or `NVIDIA H200`."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    cpu = environment.describe_cpu()
    return cpu if device.type == "cpu" else f"{device.type} of {cpu}"
