"""`mlflow models serve` answers over HTTP, for real, as the predictor does."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from predicting_runs import BOTH, Data, Runs

pytest_plugins = ["predicting_run_fixtures"]
pytestmark = pytest.mark.slow

START_S = 300.0


@pytest.fixture
def address(runs: Runs, data: Data, tmp_path: Path) -> Iterator[str]:
    """The address of a server of the run `BOTH`, which reads paths below the demo's images."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "-m", f"runs:/{runs.id(BOTH)}/model"),
        *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
    ]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{runs.folder}/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MMCLF_IMAGE_ROOT": str(data.folder / "data"),
        "MMCLF_DEVICE": "cpu",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=stream, env=environment, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_S
        while not _answers(url):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/ping", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _ask(address: str, records: list[dict[str, Any]]) -> tuple[int, Any]:
    """The status and the predictions that a server answers with."""
    body = json.dumps({"dataframe_records": records}).encode()
    request = urllib.request.Request(
        f"{address}/invocations", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_served_model_answers_as_the_predictor_does(
    address: str, runs: Runs, data: Data, ids: list[str]
) -> None:
    predictor = runs.load(BOTH)
    images, captions = data.images(ids), data.captions(ids)
    expected = predictor.predict_proba(images, captions)
    labels = [list(names) for names in predictor.predict(images, captions)]
    contents = [base64.b64encode(path.read_bytes()).decode() for path in images]
    by_content = [{"image": c, "caption": t} for c, t in zip(contents, captions, strict=True)]
    by_path = [{"image_path": one, "caption": t} for one, t in zip(ids, captions, strict=True)]
    for records in (by_content, by_path):
        status, answered = _ask(address, records)
        assert status == 200, answered
        assert [one["labels"] for one in answered] == labels
        for one, row in zip(answered, expected, strict=True):
            actual = [one["probabilities"][name] for name in predictor.label_names]
            assert actual == pytest.approx(row.tolist(), abs=1e-6)
    for path in ("../test.csv", "/etc/passwd", f"{address}/ping"):
        status, answered = _ask(address, [{"image_path": path, "caption": "a dog"}])
        assert status == 400
        assert "root:" not in answered
