"""The hardware of a device in words, without torch where the device is surely the CPU."""

from __future__ import annotations

from mmclf.storage import environment


def describe_device(name: str) -> str:
    """Describe the hardware of the device `name`; raises InputError if there is none."""
    if environment.is_surely_cpu(name):
        return environment.describe_cpu()
    # Late: docs/architecture.md#late-imports
    from mmclf.training.device import device_name, pick_device

    return device_name(pick_device(name))


def check_device(name: str, precision: str) -> None:
    """Raise InputError unless there is the device `name`, and it trains in `precision`."""
    if environment.is_surely_cpu(name):
        return  # which trains in whatever `mmclf.pipeline.preflight` lets pass
    # Late: docs/architecture.md#late-imports
    from mmclf.training.device import check_precision, pick_device

    check_precision(precision, pick_device(name))
