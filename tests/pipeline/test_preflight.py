"""What this machine lacks is said at once, before anything is read."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.config.compose import read_command
from mmclf.config.composer import open_composer
from mmclf.errors import InputError
from mmclf.models import hub
from mmclf.pipeline import preflight
from mmclf.pipeline.preflight import Preflight
from mmclf.storage import environment


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub, an empty cache of it, no GPU."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(preflight, "hub_is_reachable", lambda: False)
    monkeypatch.setattr(preflight, "cached_hub_folder", lambda *_: None)
    monkeypatch.setattr(environment, "is_surely_cpu", lambda name: name in ("auto", "cpu"))


def lacking(*lines: str, multirun: bool = False) -> list[str]:
    try:
        with open_composer(lines, also=Preflight().problems) as composer:
            read_command(composer, multirun=multirun)
    except InputError as error:
        return list(error.problems)
    return []


def test_a_run_that_has_all_lacks_nothing(competition: Path) -> None:
    assert lacking() == []
    assert lacking("data=competition", f"data.root={competition}") == []
    assert lacking("vision=resnet18", "vision.weights=random", "trainer.precision=bf16") == []


def test_all_that_is_missing_is_said_beside_all_that_is_wrong(tmp_path: Path) -> None:
    found = lacking(
        *("optimizer.lr=-1", "trainer.epochs=0", "trainer.precision=fp16", "device=gpu"),
        *("data=competition", f"data.root={tmp_path}/nowhere", "vision=resnet18", "text=bert"),
    )
    expected = [
        Naming("optimizer.lr", -1),
        Naming("trainer.epochs", 0),
        Naming("device=gpu", "'cuda'"),
        Naming("data.root", f"{tmp_path}/nowhere"),
        Naming("vision.weights", "resnet18.a1_in1k", "vision=efficientnet_lite0"),
        Naming("text.weights", "google-bert/bert-base-uncased", "text=minilm"),
    ]
    assert len(found) == len(expected)
    assert all(fact in found for fact in expected)


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        (["device=gpu"], ("device=gpu", "'cuda'")),
        (["device=cuda"], ("device=cuda", "auto or cpu")),
        (["device=cuda:1"], ("device=cuda:1", "auto or cpu")),
        (["trainer.precision=fp16"], ("trainer.precision=fp16", "bf16")),
        (["vision=resnet18", "vision.weights=/no/file.pth"], ("vision.weights", "/no/file.pth")),
        (["text=bert", "text.weights=/no/folder"], ("text.weights", "config.json", "/no/folder")),
        (
            ["text=minilm", "text.package.distribution=no-such-package"],
            ("text.weights=package", "no-such-package"),
        ),
        (["text=huggingface", "text.name=me/own", "text.weights=random"], ("text", "me/own")),
    ],
)
def test_what_is_missing_is_named(lines: list[str], facts: tuple[str, ...]) -> None:
    (problem,) = lacking(*lines)
    assert problem == Naming(*facts)


def test_each_value_of_a_sweep_is_looked_at(tmp_path: Path) -> None:
    found = lacking("vision=none,resnet18,resnet50", multirun=True)
    assert [text.partition(": ")[0] for text in found] == ["vision=resnet18", "vision=resnet50"]


@pytest.mark.parametrize(
    ("source", "file"), [("competition", "train.csv"), ("table", "t.csv"), ("coco", "instances")]
)
def test_files_of_each_source_are_looked_for(tmp_path: Path, source: str, file: str) -> None:
    given = ["data.file=t.csv"] if source == "table" else []
    (problem,) = lacking(f"data={source}", f"data.root={tmp_path}", *given)
    assert file in problem


def test_the_hub_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([True])  # a second question would find none
    monkeypatch.setattr(preflight, "hub_is_reachable", lambda: next(answers))
    assert lacking("vision=resnet18,resnet50", "text=bert,gpt2", multirun=True) == []
    assert next(answers, None) is None


@pytest.mark.parametrize("repository", ["timm/resnet18.a1_in1k", "me/resnet18.a1_in1k"])
def test_a_model_in_the_cache_may_be_what_is_asked_for(tmp_path: Path, repository: str) -> None:
    assert hub.is_surely_uncached("resnet18.a1_in1k")
    (tmp_path / "hub" / f"models--{repository.replace('/', '--')}").mkdir(parents=True)
    assert not hub.is_surely_uncached("resnet18.a1_in1k")
    assert lacking("vision=resnet18") == []


@pytest.mark.parametrize(
    "line", ["device=3", "vision.weights=3", "text.name=[a]", "data.root=3", "trainer=3"]
)
def test_values_of_a_wrong_type_are_left_to_the_check_of_settings(line: str) -> None:
    lines = ["vision=resnet18", "text=bert", "data=competition", "data.root=x", line]
    assert lacking(*lines) != []  # and no error that is not foreseen


def test_a_launcher_that_runs_elsewhere_finds_what_is_there() -> None:
    elsewhere = Preflight()
    with open_composer(["device=cuda"], also=elsewhere.problems) as composer:
        cfg = composer.compose(["device=cuda"])
        assert composer.check(cfg)[1] != []
        cfg.hydra.launcher._target_ = "hydra_plugins.hydra_submitit_launcher.SlurmLauncher"
        assert all("device" not in text for text in composer.check(cfg)[1])


def test_the_configuration_can_be_looked_at_without_what_it_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--cfg", "job", "data=competition", "data.root=/nowhere", "device=cuda"]) == 0
    assert "root: /nowhere" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_to_is_named_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = lacking(
        f"output_dir={tmp_path}/file/out", f"store.dir={tmp_path}/file", "optimizer.lr=-1"
    )
    assert Naming("output_dir", f"{tmp_path}/file") in found
    assert Naming("store.dir", f"{tmp_path}/file") in found
    assert Naming("optimizer.lr", -1) in found
    assert lacking(f"output_dir={tmp_path}/new/deep") == []
    assert not (tmp_path / "new").exists()


def test_a_folder_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)
    (problem,) = lacking(f"output_dir={tmp_path}/out", f"store.dir={tmp_path.parent}/store")
    assert problem == Naming("output_dir", tmp_path)


def test_a_remote_store_that_cannot_be_opened_is_named() -> None:
    (problem,) = lacking("store.remote=nosuch://bucket/folder")
    assert problem == Naming("store.remote", "nosuch")


def test_a_tracking_server_that_is_not_there_is_named_beside_the_rest() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert lacking(f"tracking.uri={uri}") == [Naming("tracking.uri", uri)]
    assert len(lacking(f"tracking.uri={uri}", "optimizer.lr=-1", "device=gpu")) == 3


def test_a_slow_tracking_server_is_named_beside_the_rest_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preflight, "SERVER_S", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert lacking(f"tracking.uri={uri}") == []
        found = lacking(f"tracking.uri={uri}", "device=gpu")
        assert Naming("tracking.uri", uri) in found
        assert len(found) == 2


def test_a_hub_whose_name_takes_long_to_resolve_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(preflight, "HUB_S", 0.05)
    monkeypatch.setattr(preflight, "hub_is_reachable", lambda: answered.wait(30.0))
    (problem,) = lacking("vision=resnet18")
    answered.set()
    assert problem == Naming("vision.weights", "resnet18.a1_in1k")
