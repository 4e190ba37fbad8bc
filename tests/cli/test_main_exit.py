"""A process that was interrupted ends, whatever a library waits for at its exit."""

from __future__ import annotations

import subprocess
import sys

import pytest

INTERRUPTED = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from mmclf.cli import main as entry

def command(_):
    # As an upload that a server does not answer: Python joins the pool's threads at its exit.
    ThreadPoolExecutor().submit(threading.Event().wait)
    raise KeyboardInterrupt

entry.EXIT_S = 0.1
entry._command = lambda *_: command
sys.argv = ["mmclf"]
sys.exit(entry.main({argv}))
"""


@pytest.mark.slow
@pytest.mark.hostile("servers and databases")
def test_a_thread_that_never_ends_holds_no_interrupted_process_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(argv="")],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
