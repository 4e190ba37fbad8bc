from __future__ import annotations

import gc
import json
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

import pytest
from endurance_runs import (
    Scale,
    Start,
    StartCommand,
    command_here,
    run_here,
    study_here,
    train_here,
)
from hypothesis import HealthCheck, settings
from PIL import Image

# How long examples take is no matter of right and wrong.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

pytest_plugins = ["hostile_count", "made_once", "ordering"]

HEADER = "ImageID,Labels,Caption\n"
REAL_DATA = Path(__file__).parents[2] / "shared" / "data" / "comp5329"
Tree = dict[str, Any]
COCO_INSTANCES: Tree = {
    "info": {"year": 2017},
    "images": [
        {"id": 30, "file_name": "c.jpg", "width": 640},
        {"id": 10, "file_name": "a.jpg"},
        {"id": 20, "file_name": "b.jpg"},
        {"id": 40, "file_name": "empty.jpg"},
    ],
    "annotations": [
        {"id": 1, "image_id": 10, "category_id": 18, "segmentation": [[1.5, 2.5]], "iscrowd": 0},
        {"id": 2, "image_id": 10, "category_id": 18},
        {"id": 3, "image_id": 10, "category_id": 2},
        {"id": 4, "image_id": 20, "category_id": 10, "iscrowd": 1, "segmentation": {"counts": [3]}},
        {"id": 5, "image_id": 30, "category_id": 90},
    ],
    "categories": [
        {"id": 90, "name": "t-shirt"},
        {"id": 18, "name": "dog"},
        {"id": 2, "name": "bicycle"},
        {"id": 10, "name": "traffic light"},
        {"id": 1, "name": "person"},
    ],
}
COCO_CAPTIONS: Tree = {
    "annotations": [
        {"id": 8, "image_id": 10, "caption": "later"},
        {"id": 7, "image_id": 10, "caption": "a dog\non a bike"},
        {"id": 9, "image_id": 30, "caption": "a shirt"},
        {"id": 1, "image_id": 999, "caption": "of another image"},
        {"id": 12, "image_id": 10, "caption": "latest"},
    ]
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="try what takes long as often as it takes")
    parser.addoption(
        "--fuzz-minutes", type=float, default=30, help="of fuzzing under coverage, with --soak"
    )


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collection, which takes a fifth of composing else."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def competition(tmp_path: Path) -> Path:
    """Three labelled pictures and one without labels, in the competition's layout."""
    root = tmp_path / "competition"
    (root / "data").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (8, 6), (60 * number, 10, 200)).save(root / "data" / f"{number}.jpg")
    train = '0.jpg,1 19,"a man on a horse"\n1.jpg,2,"a "red" bike"\n2.jpg,10 2,"a light"\n'
    (root / "train.csv").write_text(HEADER + train)
    (root / "test.csv").write_text('ImageID,Caption\n3.jpg,"a cat"\n')
    return root


@pytest.fixture
def real_data() -> Path:
    """The competition's own tables and pictures, where they lie beside the repository."""
    if not REAL_DATA.is_dir():
        pytest.skip("the competition's data is not beside the repository")
    return REAL_DATA


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every attempt to look up or reach a host fail the test."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def coco_root(tmp_path: Path) -> Path:
    """A small set in MS COCO's format, without images."""
    (tmp_path / "annotations").mkdir()
    for name, tree in (("instances", COCO_INSTANCES), ("captions", COCO_CAPTIONS)):
        (tmp_path / "annotations" / f"{name}_train2017.json").write_text(json.dumps(tree))
    return tmp_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small tmpfs can only be mounted by root on Linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    if request.config.getoption("--soak"):
        return Scale(100, 500, 40, 30, examples=5000, commands=60, pages=60, sharing=8)
    return Scale(3, 25, 1, 1, examples=20, commands=2, pages=1, sharing=3)


@pytest.fixture(scope="session")
def start() -> Start:
    """Starts a run with its output in a folder, in a process that has imported everything."""
    return _starter(run_here)


@pytest.fixture(scope="session")
def start_trained() -> Start:
    """Likewise a run that trains both encoders."""
    return _starter(train_here)


@pytest.fixture(scope="session")
def start_study() -> Start:
    """Likewise a small study."""
    return _starter(study_here)


@pytest.fixture(scope="session")
def start_command() -> StartCommand:
    """Likewise a command, by its words."""
    return _starter(command_here)


def _starter(live: Callable[..., None]) -> Callable[..., BaseProcess]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["endurance_preload"])
    with pytest.MonkeyPatch.context() as patched:
        # Until Python 3.13 the server looks for what it preloads on its own path, and not on ours.
        patched.setenv("PYTHONPATH", str(Path(__file__).parent))
        forkserver.ensure_running()

    def started(*given: object) -> BaseProcess:
        process = context.Process(target=live, args=given)
        process.start()
        return process

    return started
