"""A PostgreSQL of a test's own: a new cluster, on this machine's loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL = "apt-get install postgresql, or another package with initdb and pg_ctl"
USER = "postgres"  # a server refuses to run as root


def programs() -> Path:
    """The folder of PostgreSQL's programs; skips the test if there is none."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path is not None else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        pytest.skip(f"PostgreSQL is not installed: {INSTALL}")
    return folders[-1]


@contextmanager
def postgres() -> Iterator[str]:
    """A server with an empty database; gives its address, as `tracking.uri` takes it."""
    # Not below pytest's folder, which another user may not enter.
    with tempfile.TemporaryDirectory(prefix="mmclf-postgres-") as folder:
        yield from _served(Path(folder))


def _served(folder: Path) -> Iterator[str]:
    bin_, data = programs(), folder / "cluster"
    user = USER if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *words: str) -> None:
        subprocess.run([bin_ / program, *words], check=True, user=user, cwd=folder, timeout=120)

    call("initdb", "-D", str(data), "-U", "mmclf", "-A", "trust", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        call("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "mmclf", "runs")
        yield f"postgresql://mmclf@127.0.0.1:{port}/runs"
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
