"""A store behind the store on an S3 server, on this machine's loopback."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from endurance_runs import SMALL

from mmclf.storage.tracking import Tracker

pytestmark = pytest.mark.engine

KEYS = {"AWS_ACCESS_KEY_ID": "anna", "AWS_SECRET_ACCESS_KEY": "swordfish"}


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the server's file system."""

    files: Any
    name: str

    @property
    def remote(self) -> str:
        return f"store.remote=s3://{self.name}/of/mine"


@pytest.fixture
def server() -> Iterator[Any]:
    threaded = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors")
    pytest.importorskip("s3fs", reason="pip install 'mmclf[s3]'")
    server = threaded.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def bucket(server: Any, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket, by fsspec; processes that are started find its server by the environment."""
    import s3fs

    host, port = server.get_host_and_port()
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    # What one server of this process holds, the next one has as well.
    name = f"results-{secrets.token_hex(4)}"
    files.mkdir(name)
    return Bucket(files, name)


def run(folder: Path, *lines: str) -> tuple[dict[str, str], dict[str, float], str]:
    """Tags and metrics of a run in a process of its own, and what it says."""
    command = [sys.executable, "-m", "mmclf", *SMALL, f"output_dir={folder}", *lines]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    uri = f"sqlite:///{folder}/mlflow.db"
    (tracked,) = Tracker(uri, "mmclf", folder, create=False).runs()
    assert tracked.status == "FINISHED"
    return dict(tracked.tags), dict(tracked.metrics), done.stderr


def stages(tags: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name.startswith("mmclf.stage.")}


def computed_here(folder: Path) -> list[str]:
    """The entries of a store that did not come from another."""
    entries = (folder / "store").glob("*/*/entry.json")
    return [path.parent.parent.name for path in entries if not path.with_name("fetched").exists()]


def test_a_second_machine_computes_nothing_that_the_first_has(
    bucket: Bucket, tmp_path: Path
) -> None:
    remote = bucket.remote
    first, numbers, said = run(tmp_path / "one", remote)
    assert "store.remote" not in said.replace(remote, "")
    assert "fit" in computed_here(tmp_path / "one")
    second, again, _ = run(tmp_path / "two", remote)
    assert computed_here(tmp_path / "two") == []
    assert stages(second).keys() == stages(first).keys()
    same = {name for name in numbers if not name.startswith(("time/", "cost/"))}
    assert {name: again[name] for name in same} == {name: numbers[name] for name in same}


@pytest.mark.slow
def test_what_is_damaged_there_is_made_again(bucket: Bucket, tmp_path: Path) -> None:
    remote = bucket.remote
    run(tmp_path / "one", remote)
    for name in bucket.files.find(f"{bucket.name}/of/mine/fit"):
        if not name.endswith("entry.json"):
            bucket.files.pipe_file(name, b"of another")
    _, _, said = run(tmp_path / "two", remote)
    assert said.count("store.remote") >= 1
    assert "fit" in computed_here(tmp_path / "two")
    run(tmp_path / "three", remote)
    assert computed_here(tmp_path / "three") == []


def test_a_server_that_is_gone_is_noted_and_the_run_goes_on(
    server: Any, bucket: Bucket, tmp_path: Path
) -> None:
    server.stop()
    _, _, said = run(tmp_path / "one", bucket.remote)
    assert said.count("store.remote=") == 1
    assert "fit" in computed_here(tmp_path / "one")


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_noted_and_not_made(bucket: Bucket, tmp_path: Path) -> None:
    _, _, said = run(tmp_path / "one", "store.remote=s3://nosuch/of/mine")
    assert said.count("store.remote=") == 1
    assert not bucket.files.exists("nosuch")
