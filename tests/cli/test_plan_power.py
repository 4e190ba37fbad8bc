from __future__ import annotations

import re

import pytest

from mmclf.cli.plan_power import power_lines
from mmclf.studies.report.result.variances import Variances


def lines(
    seed_sd: float = 0.0035,
    sample_sd: float = 0.0020,
    comparisons: int = 1,
    margin: float = 0.005,
    samples: int = 800,
) -> list[str]:
    variances = Variances(seed_sd, sample_sd, "from 64 arms and 10 seeds of the study attribution")
    return power_lines(
        variances, comparisons=comparisons, samples=samples, margin=margin, unit="F1 points"
    )


def sizes(printed: list[str]) -> list[float]:
    """What 3, 5, 10, 20 and any number of seeds would show."""
    (line,) = [line for line in printed if line.split()[0] == "difference"]
    return [float(value) for value in line.split()[1:]]


def test_the_smallest_differences_and_the_floor() -> None:
    # 5 and 20 seeds of the variances of heads and losses: 0.80 and 0.61; 2.80 * 0.20 at the floor.
    assert sizes(lines())[1] == 0.80
    assert sizes(lines())[3:] == [0.61, 0.56]
    assert sizes(lines(comparisons=7)) > sizes(lines())
    (seeds,) = [line for line in lines() if line.split()[0] == "seeds"]
    assert seeds.split()[1:5] == ["3", "5", "10", "20"]


@pytest.mark.parametrize(
    ("sample_sd", "word"),
    [(0.0017, "can be shown"), (0.0018, "seldom"), (0.0030, "seldom"), (0.0031, "never")],
)
def test_whether_equality_can_be_shown(sample_sd: float, word: str) -> None:
    # With 80 % below 0.5 / 2.926 points, at all below 0.5 / 1.645.
    assert word in lines(sample_sd=sample_sd)[-1]


def test_the_test_samples_that_would_show_equality() -> None:
    # 800 * (2.9264 * 0.40 / 0.50)²
    assert re.search(r"\b4385 test samples", lines(sample_sd=0.0040)[-1])


def test_without_a_margin_nothing_is_said_of_equality() -> None:
    assert len(lines(margin=0.0)) == len(lines()) - 1


def test_lines_fit_80_columns() -> None:
    texts = lines(seed_sd=0.12, sample_sd=0.1234, comparisons=120, samples=1_000_000)
    assert max(map(len, texts)) <= 80
