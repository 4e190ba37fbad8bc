"""What is seen of a GPU while it computes: the share of time that it is busy, its memory."""

from __future__ import annotations

import subprocess

import torch

SMI = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100")


class Busy:
    """The share of time that a device is busy from now on, as nvidia-smi samples it."""

    def __init__(self, device: torch.device) -> None:
        self._process: subprocess.Popen[str] | None = None
        if device.type == "cuda":
            name = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
            self._process = subprocess.Popen(  # noqa: S603
                [*SMI, "-i", name], stdout=subprocess.PIPE, text=True
            )

    def share(self) -> str:
        """The mean until now in words; it is no longer sampled."""
        if self._process is None:
            return "not sampled"
        self._process.terminate()
        out, _ = self._process.communicate()
        sampled = [int(line) for line in out.split() if line.isdigit()]
        return f"{sum(sampled) / len(sampled):.0f} %" if sampled else "not sampled"


def forget_peak(device: torch.device) -> None:
    """Let the peak of memory be that from now on."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> str:
    """The most memory that tensors held, in words."""
    if device.type != "cuda":
        return "not measured"
    return f"{torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB"
