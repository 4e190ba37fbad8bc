"""Runs on Ray, as far as no Ray is needed: what a node must have, and what is said without one."""

from __future__ import annotations

import importlib.util
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from mmclf.cli.main import main
from mmclf.cli.ray_cluster import Share, check_ray
from mmclf.cli.worker_job import WorkerJobs
from mmclf.config.composer import open_composer
from mmclf.errors import InputError

NODES = [{"CPU": 4.0, "memory": 1e9}, {"CPU": 1.0, "GPU": 2.0}]


@pytest.mark.parametrize(
    "share", [Share(4, 0), Share(0.5, 0), Share(0, 2), Share(0, 0.25), Share(1, 1)]
)
def test_a_node_has_the_share_of_a_run(share: Share) -> None:
    assert share.lacks(NODES) is None


@pytest.mark.parametrize(
    ("share", "named"),
    [
        *((Share(5, 0), "5 CPU"), (Share(0, 3), "3 GPU"), (Share(4.5, 0.5), "4.5 CPU")),
        # Each is there, but not in one node.
        (Share(4, 1), "4 CPU"),
    ],
)
def test_a_share_that_no_node_has_is_named(share: Share, named: str) -> None:
    lacks = share.lacks(NODES)
    assert lacks is not None
    assert named in lacks


def test_of_no_node_nothing_can_be_had() -> None:
    assert Share(0.5, 0).lacks([]) is not None


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def without_ray(name: str, package: str | None = None) -> object:
        return None if name == "ray" else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_ray)


@pytest.mark.usefixtures("no_ray")
def test_without_ray_it_is_said_what_to_install() -> None:
    with pytest.raises(InputError, match=r"mmclf\[ray\]"):
        check_ray("local")


@pytest.mark.usefixtures("no_ray")
def test_without_ray_a_sweep_ends_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", "hydra/launcher=ray", "seed=0,1", f"output_dir={tmp_path}/out"]) == 2
    assert "mmclf[ray]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def ray_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: "a specification")


@pytest.mark.usefixtures("ray_is_there")
@pytest.mark.parametrize("named", [None, "", "127.0.0.1", "auto", ":6379", "ray://x", "x:99999"])
def test_a_cluster_that_is_not_named_is_asked_for(
    named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if named is not None:
        monkeypatch.setenv("RAY_ADDRESS", named)
    with pytest.raises(InputError, match="RAY_ADDRESS"):
        check_ray("auto")
    check_ray("local")


@pytest.mark.usefixtures("ray_is_there")
@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_that_does_not_answer_is_named(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{there.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(InputError) as caught:  # nobody listens there yet
            check_ray("auto")
        assert address in str(caught.value)
        there.listen()
        check_ray("auto")


@pytest.mark.parametrize(
    ("words", "is_asked"),
    [
        (["hydra/launcher=gpus"], True),
        (["hydra/launcher=ray"], False),
        (["hydra/launcher=ray", "hydra.launcher.address=local"], True),
    ],
)
def test_what_this_machine_lacks_matters_where_runs_are_its_own(
    words: list[str], is_asked: bool
) -> None:
    with open_composer(words, also=lambda _: ["it lacks something"]) as composer:
        _, problems = composer.check(composer.compose(words))
    assert problems == (["it lacks something"] if is_asked else [])


def test_a_node_without_the_commands_folder_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nothing: Any = None
    jobs = WorkerJobs(nothing, nothing, nothing, nothing, tmp_path / "away", "0" * 12)
    with pytest.raises(InputError, match="away"):
        jobs.run(0, [], 0)
    assert Path.cwd() == tmp_path
    assert "MMCLF_RAY_JOB" not in os.environ
