"""Fuzzing under coverage: whatever the bytes, they are read, or refused as documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hostile_count import Attempts

TESTS = Path(__file__).parents[1]
TARGETS = (
    *("overrides", "yaml", "csv", "competition", "coco", "npz", "record", "model.json"),
    "safetensors",
)
# Each takes half a minute to begin.
FAST_TARGETS = ("overrides", "npz")
FAST_RUNS = 100
LIMITS = (
    # Far above what any of them takes on a machine with other work.
    *("-timeout=120", "-rss_limit_mb=4096"),
    *("-max_len=4096", "-len_control=0", "-reduce_inputs=0", "-print_final_stats=1"),
)
EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")


@pytest.mark.slow
@pytest.mark.hostile("under coverage", fuzz=True)
@pytest.mark.parametrize(
    "target",
    [
        name if name in FAST_TARGETS else pytest.param(name, marks=pytest.mark.soak)
        for name in TARGETS
    ],
)
def test_whatever_the_bytes_are_they_are_answered(
    target: str, tmp_path: Path, attempts: Attempts, request: pytest.FixtureRequest
) -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed: it comes with the extra `dev` on Linux")
    seconds = round(request.config.getoption("--fuzz-minutes") * 60 / len(TARGETS))
    is_soak = request.config.getoption("--soak")
    length = f"-max_total_time={seconds}" if is_soak else f"-runs={FAST_RUNS}"
    command = [sys.executable, str(TESTS / "fuzz_one.py"), target, str(tmp_path), length, *LIMITS]
    root = str(TESTS.parent)
    done = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    match = EXECUTED.search(done.stderr)
    count = int(match[1]) if match is not None else 1
    attempts.tried += count
    attempts.held += count if done.returncode == 0 else count - 1
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    assert count >= (1 if is_soak else FAST_RUNS)


def test_every_target_is_fuzzed() -> None:
    listed = re.search(r"^TARGETS.*?^}", (TESTS / "fuzz_targets.py").read_text(), re.M | re.S)
    assert listed is not None
    assert set(re.findall(r'"([^"]+)": ', listed[0])) == set(TARGETS)
