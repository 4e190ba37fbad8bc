"""The time that a planned study still needs, by arm and by stage, which both add up to it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mmclf.plots.words import counted
from mmclf.studies.time_estimate import TimeEstimate

UNKNOWN = "unknown"
# By kind of stage, in the order of a run.
WORDS: Mapping[str, str] = {
    "pictures": "decode images",
    "vision": "encode images",
    "text": "encode captions",
    "fit": "fit",
}
BESIDE = "read, test, log"
RESULTS: Mapping[str, str] = {"fit": "fit"}


@dataclass(frozen=True)
class PlannedArm:
    """An arm with its runs, those of them that are left, and what these need.

    `estimate`: what no arm before it needs as well, so that the arms' times add up.
    """

    name: str
    overrides: tuple[str, ...]
    runs: int
    left: int
    estimate: TimeEstimate


def arms_table(arms: Sequence[PlannedArm], beside: float) -> pd.DataFrame:
    """A row for each arm; `beside`: seconds of a run beside its results, NaN if unknown."""
    each = 0.0 if math.isnan(beside) else beside
    seconds = whole([arm.estimate.known + arm.left * each for arm in arms])
    return pd.DataFrame(
        {
            "Arm": [arm.name for arm in arms],
            "Overrides": [" ".join(arm.overrides) for arm in arms],
            "Done": [f"{arm.runs - arm.left} of {arm.runs}" for arm in arms],
            "To fit": [str(arm.estimate.count("fit") + arm.estimate.unknown_runs) for arm in arms],
            "Time (s)": [_with_unknown(*pair) for pair in zip(arms, seconds, strict=True)],
        }
    )


def time_lines(total: TimeEstimate, left: int, beside: float, *, shares: bool) -> list[str]:
    """The time left, and a line for each kind of stage that it is of.

    `left`: runs; `shares`: whether they share results, each of which is counted once.
    """
    kinds = total.of_kinds()
    parts = [
        (words, sum(kinds[kind]), counted(len(kinds[kind]), RESULTS.get(kind, "result")))
        for kind, words in WORDS.items()
        if kind in kinds
    ]
    if left and not math.isnan(beside):
        parts.append((BESIDE, left * beside, counted(left, "run")))
    seconds = whole([part[1] for part in parts])
    unknown = total.unknown + total.unknown_runs
    how = "what arms share is in the first one" if shares else "with cache=off runs share nothing"
    lines = [f"time left: {sum(seconds):,} s, one run after another ({how})"]
    if unknown:
        lines.append(f"  and {counted(unknown, 'result')} whose speed no stored one tells")
    for (words, _, count), value in zip(parts, seconds, strict=True):
        lines.append(f"  {words:<16}{value:>8,} s  {count}")
    if left and math.isnan(beside):
        lines.append(f"  {BESIDE:<16}{UNKNOWN:>8}    no run on this hardware tells")
    return lines


def whole(values: Sequence[float]) -> list[int]:
    """The values in whole numbers, whose sum is that of the values, rounded."""
    sums = [round(value) for value in itertools.accumulate(values)]
    return [after - before for before, after in itertools.pairwise([0, *sums])]


def _with_unknown(arm: PlannedArm, seconds: int) -> str:
    if arm.estimate.unknown + arm.estimate.unknown_runs == 0:
        return f"{seconds:,}"
    return UNKNOWN if seconds == 0 else f"{seconds:,} and {UNKNOWN}"
