"""The times of a plan: whole numbers that add up, by arm and by stage."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from mmclf.cli.plan_times import PlannedArm, arms_table, time_lines, whole
from mmclf.studies.time_estimate import TimeEstimate

SECONDS = st.floats(0, 1e6)


def numbers(texts: list[str]) -> list[int]:
    return [int(text.replace(",", "")) for text in texts]


@given(st.lists(SECONDS, max_size=20))
def test_whole_numbers_add_up_to_the_rounded_sum(values: list[float]) -> None:
    rounded = whole(values)
    assert sum(rounded) == round(sum(values)) or abs(sum(rounded) - sum(values)) <= 0.5 + 1e-6
    assert all(abs(own - value) <= 1 + 1e-6 for own, value in zip(rounded, values, strict=True))


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=6), st.floats(0, 100))
def test_arms_and_stages_add_up_to_the_time_left(
    of_arms: list[tuple[float, float]], beside: float
) -> None:
    total, arms = TimeEstimate(), []
    for number, (fit, encode) in enumerate(of_arms):
        # The first of each pair is the arm's own, the second one that all arms share.
        own = TimeEstimate(
            {f"fit {number}": fit, "shared": of_arms[0][1], f"encode {number}": encode},
            {f"fit {number}": "fit", "shared": "text", f"encode {number}": "vision"},
        )
        arms.append(PlannedArm(str(number), (), 2, 1, own.beyond(total)))
        total.merge(own)
    table = arms_table(arms, beside)
    first, *stages = time_lines(total, len(arms), beside, shares=True)
    (left,) = re.findall(r"time left: ([\d,]+) s", first)
    parts = [re.findall(r"([\d,]+) s  ", line)[0] for line in stages]
    assert [sum(numbers(parts))] == numbers([left])
    assert abs(sum(numbers(list(table["Time (s)"]))) - numbers([left])[0]) <= 1


def test_what_no_stored_result_tells_is_said() -> None:
    unknown = TimeEstimate({"a": math.nan, "b": 3.0}, {"a": "vision", "b": "fit"})
    lines = time_lines(unknown, 2, math.nan, shares=False)
    assert "time left: 3 s" in lines[0]
    assert "1 result " in lines[1]
    assert re.search(r"fit +3 s  1 fit", "\n".join(lines))
    assert "unknown" in lines[-1]
    table = arms_table([PlannedArm("x", ("loss=bce",), 2, 2, unknown)], math.nan)
    assert table.to_dict("list") == {
        "Arm": ["x"],
        "Overrides": ["loss=bce"],
        "Done": ["0 of 2"],
        "To fit": ["1"],
        "Time (s)": ["3 and unknown"],
    }
