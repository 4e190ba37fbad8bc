"""Timing side by side: A B A B, the first of each thrown away, and ratios with their spread."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

Side = Callable[[], float]  # does it once and returns the seconds that it took


def alternate(title: str, sides: Mapping[str, Side], repeats: int) -> dict[str, list[float]]:
    """The seconds of each side in each of the `repeats` rounds, after one that is thrown away."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(repeats + 1):
        for name, side in sides.items():
            took = side()
            tell(f"{title}: {name}, {f'round {number}' if number else 'warm-up'}: {took:.3f} s")
            if number > 0:
                seconds[name].append(took)
    return seconds


def timed(work: Callable[[], object]) -> float:
    """The seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The ratio of each pair."""
    return [a / b for a, b in zip(above, below, strict=True)]


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def rate(count: int, seconds: Sequence[float], what: str) -> str:
    """The median rate in words, as `212 images/s`."""
    speed = count / middle(seconds)
    return f"{speed:.0f} {what}/s" if speed >= 100 else f"{speed:.1f} {what}/s"


def in_seconds(seconds: Sequence[float]) -> str:
    """The median in words, as `12.3 s`."""
    value = middle(seconds)
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def tell(text: str) -> None:
    """Say how far the benchmark is, on standard error."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
