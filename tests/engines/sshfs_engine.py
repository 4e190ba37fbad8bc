"""A folder that is mounted twice by sshfs: what one mount locks, the other does not see."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

INSTALL = "apt-get install sshfs openssh-sftp-server"
SERVER = Path("/usr/lib/openssh/sftp-server")


@contextmanager
def mounted_twice(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Two mounts of one folder; skips the test where FUSE or sshfs is missing."""
    if shutil.which("sshfs") is None or not SERVER.exists() or not Path("/dev/fuse").exists():
        pytest.skip(f"sshfs cannot be used here: {INSTALL}, and FUSE")
    source = folder / "source"
    source.mkdir()
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(_mounted(source, folder / name)) for name in ("first", "second")
        )
        yield first, second


@contextmanager
def _mounted(source: Path, mount: Path) -> Iterator[Path]:
    """The folder, mounted by a server of its own that is spoken to over pipes."""
    mount.mkdir()
    there, from_us = os.pipe()
    here, from_there = os.pipe()
    command = ["sshfs", f":{source}", str(mount), "-f", "-o", "passive,cache=no"]
    server = subprocess.Popen([SERVER], stdin=there, stdout=from_there)
    client = subprocess.Popen(command, stdin=here, stdout=from_us)
    for descriptor in (there, from_us, here, from_there):
        os.close(descriptor)
    try:
        deadline = time.monotonic() + 30
        while not mount.is_mount() and time.monotonic() < deadline:
            if client.poll() is not None:
                pytest.skip(f"sshfs may not mount here: it exits with {client.returncode}")
            time.sleep(0.05)
        assert mount.is_mount()
        yield mount
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(mount)], check=False)
        client.wait(30)
        server.wait(30)
