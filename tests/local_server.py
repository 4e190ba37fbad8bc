"""The server of `make server`, started, killed and started again."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "deploy" / "server.py"
START_S = 300.0


class LocalServer:
    """A server that keeps all in one folder; its port stays.

    Attributes:
        address: of the server.
        said: what it printed.

    """

    def __init__(self, folder: Path, database: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.folder, self.said = folder, folder / "said"
        self._command = [sys.executable, str(SCRIPT), str(folder / "server")]
        self._command += ["--port", str(port), "--database", database, "--workers", "1"]
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def started(cls, database: str) -> Iterator[LocalServer]:
        """A server for as long as the block goes on, with its password in the environment."""
        # Not below pytest's folder, which another user may not enter.
        with (
            tempfile.TemporaryDirectory(prefix="mmclf-served-") as name,
            pytest.MonkeyPatch.context() as patched,
        ):
            Path(name).chmod(0o711)
            made = cls(Path(name), database)
            try:
                made.start()
                patched.setenv("MLFLOW_TRACKING_USERNAME", "admin")
                patched.setenv("MLFLOW_TRACKING_PASSWORD", made.password)
                yield made
            finally:
                made.stop()

    @property
    def password(self) -> str:
        """Its user's."""
        return (self.folder / "server" / "password").read_text()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.said.open("ab") as said:
            # A group of its own: it is made of several processes, which are killed together.
            self._process = subprocess.Popen(
                self._command, stdout=said, stderr=said, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(self._question(), timeout=30):
                return
            time.sleep(0.2)
        raise AssertionError(self.said.read_text() + self.log)

    def _question(self) -> urllib.request.Request:
        """One that asks the database for accounts and that for runs: the first takes seconds."""
        password = self.password if (self.folder / "server" / "password").exists() else ""
        account = base64.b64encode(f"admin:{password}".encode()).decode()
        path = "api/2.0/mlflow/experiments/get?experiment_id=0"
        return urllib.request.Request(
            f"{self.address}/{path}", headers={"Authorization": f"Basic {account}"}
        )

    @property
    def log(self) -> str:
        """The end of MLflow's log."""
        file = self.folder / "server" / "log"
        return file.read_text()[-2000:] if file.exists() else ""

    def kill(self) -> None:
        """Kill MLflow and who started it; a PostgreSQL stays."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """End it as Ctrl-C does, with its database; its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(300)
