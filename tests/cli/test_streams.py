"""The command line with standard streams that are closed, unread or full: its exit status stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BAD = "show no_such_group"
GOOD = "--version"


def status(words: str, streams: str) -> int:
    """The exit status of a command whose streams a shell has set up so."""
    command = f"{sys.executable} -m mmclf {words} {streams}"
    return subprocess.run(["sh", "-c", command], check=False, stdin=subprocess.PIPE).returncode


@pytest.mark.slow
@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "expected"), [(GOOD, 0), (BAD, 2)])
@pytest.mark.hostile("disks, streams, clocks")
def test_closed_streams_change_no_status(words: str, expected: int, streams: str) -> None:
    quiet = "" if ">&-" in streams else ">/dev/null"
    assert status(words, f"{quiet} {streams}") == expected


@pytest.mark.slow
@pytest.mark.parametrize(("words", "expected"), [(GOOD, 0), (BAD, 2), ("show", 0)])
@pytest.mark.hostile("disks, streams, clocks")
def test_streams_that_nobody_reads_change_no_status(words: str, expected: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mmclf", *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait() == expected


@pytest.mark.slow
@pytest.mark.hostile("disks, streams, clocks")
def test_output_that_finds_no_space_is_a_failure() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m mmclf --version >/dev/full"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "standard output cannot be written" in line
    assert status(BAD, ">/dev/full 2>/dev/full") == 2


@pytest.mark.slow
@pytest.mark.hostile("disks, streams, clocks")
def test_a_file_that_is_opened_next_does_not_get_what_is_printed(tmp_path: Path) -> None:
    # With standard error closed, the first file that is opened would become it.
    words = f"data=table data.root={tmp_path} data.file=none.csv output_dir={tmp_path}/out"
    assert status(words, ">/dev/null <&- 2>&-") == 2
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in texts if text.startswith(b"mmclf: ")]
