"""`make server` without PostgreSQL: a run with the password, none without, and the same again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from local_server import SCRIPT, LocalServer

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker

# With PostgreSQL it is started by tests/engines/test_server.py.
pytestmark = pytest.mark.soak

SMALL = ("data.train=60", "data.test=20", "trainer.epochs=1", "head.hidden=4")


def test_it_keeps_runs_for_who_has_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalServer.started("sqlite") as server:
        words = [*SMALL, f"tracking.uri={server.address}", f"output_dir={tmp_path}"]
        assert main(words) == 0
        folder = server.folder / "server"
        again = [sys.executable, str(SCRIPT), str(folder)]
        assert subprocess.run(again, check=False, capture_output=True).returncode == 1
        # PostgreSQL's user may enter the folder, and read nothing in it.
        assert folder.stat().st_mode & 0o777 == 0o711
        assert [path for path in folder.iterdir() if path.stat().st_mode & 0o077] == []
        assert server.password not in server.said.read_text() + server.log

        assert server.stop() == 0
        server.start()
        (run,) = Tracker(server.address, "mmclf", tmp_path).runs()
        assert run.status == "FINISHED"
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "of somebody else")
        capsys.readouterr()
        assert main(words) == 2
        assert "MLFLOW_TRACKING_PASSWORD" in capsys.readouterr().err
