"""Calls that are waited for so long, whatever they do, and servers that are there or not."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mmclf.errors import UnreachableError
from mmclf.storage.waiting import check_answers, within


def test_what_a_call_returns_or_raises_comes_back() -> None:
    assert within(60, lambda: 3) == 3
    assert within(60, lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_a_call_that_does_not_end_is_left_behind() -> None:
    ends = threading.Event()
    with pytest.raises(TimeoutError, match=r"within 0 s"):
        within(0.01, ends.wait)
    assert any(thread.daemon and thread.is_alive() for thread in threading.enumerate())
    ends.set()


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server that says no, and sends whoever believes it elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(int(self.path[1:]))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("status", [200, 302, 401, 404, 405, 500])
def test_whatever_a_server_says_it_is_there(server: HTTPServer, status: int) -> None:
    check_answers("tracking.uri", f"http://127.0.0.1:{server.server_port}/{status}")


@pytest.mark.parametrize(
    "address", ["sqlite:///x.db", "postgresql://a/b", "databricks", "http://["]
)
def test_what_is_no_address_of_a_server_is_left_to_others(address: str) -> None:
    check_answers("tracking.uri", address)


def test_a_certificate_is_left_to_others(server: HTTPServer) -> None:
    check_answers("tracking.uri", f"https://127.0.0.1:{server.server_port}")


@pytest.mark.hostile("servers and databases")
def test_nobody_at_an_address_is_said() -> None:
    with pytest.raises(UnreachableError, match=r"tracking\.uri=http://127\.0\.0\.1:1 .*refused"):
        check_answers("tracking.uri", "http://127.0.0.1:1")


@pytest.mark.hostile("servers and databases")
def test_a_server_that_takes_connections_and_says_nothing_is_not_waited_for() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(UnreachableError, match="does not answer"):
            check_answers("x", f"http://127.0.0.1:{listener.getsockname()[1]}", 0.2)


@pytest.mark.hostile("servers and databases")
def test_a_name_that_nobody_resolves_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ends.wait())
    with pytest.raises(UnreachableError, match="no answer within"):
        check_answers("x", "http://server.nowhere:5000", 0.2)
    ends.set()


@pytest.mark.slow
@pytest.mark.hostile("servers and databases")
@pytest.mark.parametrize("words", [[], ["-m", "seed=0,1"], ["study=loss", "study.seeds=1"]])
def test_a_server_that_is_not_there_is_known_before_anything_heavy_is_imported(
    tmp_path: Path, words: list[str]
) -> None:
    given = ["text=tfidf", *words, "tracking.uri=http://127.0.0.1:1", f"output_dir={tmp_path}"]
    script = (
        "import sys; from mmclf.cli.main import main; status = main(sys.argv[1:]);"
        "heavy = {'mlflow', 'accelerate'} & set(sys.modules);"
        "sys.exit(f'{status} {heavy}' if heavy or status != 2 else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *given], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "tracking.uri=http://127.0.0.1:1 does not answer" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and "store" not in str(path)]
