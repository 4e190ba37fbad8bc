"""What a computation takes beside time: memory, and energy where codecarbon can tell.

Memory is the peak of the process while it computes, on a GPU that of torch's allocator. Energy is
codecarbon's estimate for the process (Courty et al.: CodeCarbon, doi:10.5281/zenodo.11171501), from
the counters of the processor where they may be read, else from its load and rated power.
"""

from __future__ import annotations

import functools
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

MB = 10**6
# Linux's own files on the process: writing 5 sets the peak back (proc(5)).
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PEAK_LINE = "VmHWM:"
WH_IN_KWH = 1000.0
# What codecarbon would read from a file in the working folder or at home, or send.
OFFLINE = {
    "country_iso_code": "USA",  # which decides carbon alone, and that is not read
    "electricitymaps_api_token": "",
    "output_methods": [],
    "emissions_endpoint": False,
}


@dataclass
class Use:
    """What a computation took: its peak memory in MB, its energy in Wh; None if not known."""

    peak_mb: float | None = None
    energy_wh: float | None = None


class Meter:
    """Measures computations, one at a time.

    Args:
        energy: whether to estimate energy too, which needs codecarbon.

    """

    def __init__(self, *, energy: bool) -> None:
        self._energy = energy and util.find_spec("codecarbon") is not None

    @contextmanager
    def measure(self) -> Iterator[Use]:
        """Measure what the block takes; known once it has ended."""
        use, tracker = Use(), _energy_tracker() if self._energy else None
        _reset_peaks()
        if tracker is not None:
            tracker.start_task()
        try:
            yield use
        finally:
            if tracker is not None:
                with suppress(Exception):  # a reading that fails is no reason to lose the result
                    use.energy_wh = WH_IN_KWH * float(tracker.stop_task().energy_consumed)
            use.peak_mb = _peak_mb()


def _reset_peaks() -> None:
    cuda = _cuda()
    if cuda is not None:
        cuda.reset_peak_memory_stats()
    # Where it may not be written, the peak is that since the process began.
    with suppress(OSError):
        CLEAR.write_text("5")


def _peak_mb() -> float | None:
    cuda = _cuda()
    if cuda is not None:
        return float(cuda.max_memory_allocated()) / MB
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:  # not on Linux
        return None
    return next((int(line.split()[1]) * 1024 / MB for line in lines if PEAK_LINE in line), None)


def _cuda() -> Any | None:
    """`torch.cuda`, if torch is in use on a GPU; it is not imported for this."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


@functools.cache
def _energy_tracker() -> Any | None:
    """The process's tracker of codecarbon, which takes seconds to start; None if it fails."""
    # Late: docs/architecture.md#late-imports
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)  # it would say that it begins
    try:
        tracker = OfflineEmissionsTracker(
            **OFFLINE,
            output_dir=tempfile.gettempdir(),
            log_level=logging.CRITICAL,
            tracking_mode="process",
            allow_multiple_runs=True,
        )
        tracker.start_task()
        tracker.stop_task()
    except Exception:  # of a machine that it does not know
        return None
    return tracker
