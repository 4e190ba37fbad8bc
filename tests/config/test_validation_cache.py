"""What was valid is not checked again; what is built is proved all the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mmclf import compose
from mmclf.config.components import COMPONENTS
from mmclf.config.schema import Config
from mmclf.config.signature_check import check_component
from mmclf.config.targets import build
from mmclf.config.validate import valid_components
from mmclf.config.validation_cache import FILE, ValidationCache
from mmclf.errors import InputError
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.run_data import load_run_data, open_store
from mmclf.pipeline.stages import StageResolver
from mmclf.training.components import build_components

VERSION = "mmclf.config.validation_cache.metadata.version"
LOSS: Mapping[str, Any] = {"_target_": "mmclf.models.losses.FocalLoss", "gamma": 2.0, "alpha": None}


def is_valid(
    folder: Path, role: str, node: Mapping[Any, Any], allowed: tuple[str, ...] = ()
) -> bool:
    return ValidationCache(folder, allowed).has(role, node)


def test_what_was_added_is_remembered_from_then_on(tmp_path: Path) -> None:
    assert not is_valid(tmp_path, "loss", LOSS)
    ValidationCache(tmp_path, []).add({"loss": LOSS})
    assert is_valid(tmp_path, "loss", LOSS)
    assert is_valid(tmp_path, "loss", dict(reversed([*LOSS.items()])))


@pytest.mark.parametrize(
    ("role", "node"),
    [
        ("fusion", LOSS),
        ("loss", {**LOSS, "_target_": "mmclf.models.losses.WeightedBCE"}),
        ("loss", {**LOSS, "gamma": 2}),
        ("loss", {**LOSS, "alpha": False}),
        ("loss", {**LOSS, "more": None}),
        ("loss", {"_target_": "mmclf.models.losses.FocalLoss", "gamma": 2.0}),
        ("loss", {**LOSS, "alpha": Path("a")}),
    ],
)
def test_another_component_is_not_remembered(
    tmp_path: Path, role: str, node: Mapping[Any, Any]
) -> None:
    ValidationCache(tmp_path, []).add({"loss": LOSS})
    assert not is_valid(tmp_path, role, node)


def test_a_part_of_no_plain_values_is_never_remembered(tmp_path: Path) -> None:
    ValidationCache(tmp_path, []).add({"loss": {**LOSS, 1: "a"}, "fusion": {"a": Path("a")}})
    assert not is_valid(tmp_path, "loss", {**LOSS, 1: "a"})
    assert not is_valid(tmp_path, "fusion", {"a": Path("a")})


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module of one's own."""
    file = tmp_path / "own" / "cached_parts.py"
    file.parent.mkdir()
    file.write_text("x = 1\n")
    os.utime(file, (1, 1))
    monkeypatch.syspath_prepend(file.parent)
    return file


def test_a_changed_module_of_ones_own_is_checked_again(own: Path, tmp_path: Path) -> None:
    allowed = ("cached_parts",)
    ValidationCache(tmp_path, allowed).add({"loss": LOSS})
    assert is_valid(tmp_path, "loss", LOSS, allowed)
    assert not is_valid(tmp_path, "loss", LOSS)
    os.utime(own, (1, 2))
    assert not is_valid(tmp_path, "loss", LOSS, allowed)
    os.utime(own, (1, 1))
    assert is_valid(tmp_path, "loss", LOSS, allowed)
    own.write_text("x = 10\n")
    os.utime(own, (1, 1))
    assert not is_valid(tmp_path, "loss", LOSS, allowed)


def test_a_module_beside_it_counts_too(own: Path, tmp_path: Path) -> None:
    ValidationCache(tmp_path, ["cached_parts"]).add({"loss": LOSS})
    (own.parent / "helper.py").write_text("")
    assert not is_valid(tmp_path, "loss", LOSS, ("cached_parts",))


def test_another_version_of_a_library_is_checked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VERSION, lambda name: {"torch": "9.9"}.get(name, "1.0"))
    ValidationCache(tmp_path, []).add({"loss": LOSS})
    assert is_valid(tmp_path, "loss", LOSS)
    monkeypatch.setattr(VERSION, lambda _: "1.0")
    assert not is_valid(tmp_path, "loss", LOSS)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff"])
def test_a_damaged_memory_proves_nothing(tmp_path: Path, content: bytes) -> None:
    ValidationCache(tmp_path, []).add({"loss": LOSS})
    (tmp_path / FILE).write_bytes(content)
    assert not is_valid(tmp_path, "loss", LOSS)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that are checked, in order."""
    roles: list[str] = []

    def checking(node: Mapping[Any, Any], path: str, role: str, allow: list[str]) -> list[str]:
        roles.append(role)
        return check_component(node, path, role, allow)

    monkeypatch.setattr("mmclf.config.validate.check_component", checking)
    return roles


def test_of_a_config_only_the_parts_that_are_new_are_checked(
    tmp_path: Path, checked: list[str]
) -> None:
    lines = [f"output_dir={tmp_path}"]
    composed = compose(lines)
    assert checked == [part for part in COMPONENTS if part != "vision"]
    ValidationCache(tmp_path / "store", []).add(valid_components(composed.tree))
    checked.clear()
    assert compose(lines).config == composed.config
    assert compose([*lines, "seed=3", "trainer.epochs=2", "text.lr=1e-3"]).config.seed == 3
    assert checked == []
    compose([*lines, "loss=focal", "optimizer.lr=1e-2"])
    assert checked == ["loss", "optimizer"]


def test_what_is_wrong_is_not_remembered(tmp_path: Path, checked: list[str]) -> None:
    lines = [f"output_dir={tmp_path}", "loss=focal", "loss.gamma=high"]
    for _ in range(2):
        with pytest.raises(InputError, match=r"loss\.gamma: found 'high'"):
            compose(lines)
    assert checked == []  # by its source alone
    assert not (tmp_path / "store" / FILE).exists()


def go_ahead(config: Config) -> None:
    """All that a run does before it trains."""
    with open_store(config, "2 x CPU") as store:
        data = load_run_data(config, store)
        StageResolver(config, data, "argmax", store.hasher, "2 x CPU").resolve()
    encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
    build(config.threshold, "threshold")
    build_components(config, encodings, data.labels("train"), config.modalities)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.mark.parametrize("role", COMPONENTS)
@pytest.mark.parametrize("target", ["os.system", "torch.hub.load"])
def test_a_forged_fact_lets_nothing_forbidden_be_built(
    outputs: Path, tmp_path: Path, role: str, target: str
) -> None:
    mark = tmp_path / "it_ran"
    level = tmp_path / "conf" / role / "evil.yaml"
    level.parent.mkdir(parents=True)
    level.write_text(f"_target_: {target}\ncommand: touch {mark}\n")
    node = {"_target_": target, "command": f"touch {mark}"}
    ValidationCache(outputs / "store", []).add({role: node})
    small = ["data.train=60", "data.test=20"] if role != "data" else []
    given = [f"{role}=evil", "encode.precision=fp32", f"output_dir={outputs}", *small]
    config = compose(given, config_dir=tmp_path / "conf").config
    with pytest.raises(InputError, match=rf"_target_ '{target}' "):
        go_ahead(config)
    with pytest.raises(InputError, match=rf"_target_ '{target}' "):
        build(node, role)
    assert not mark.exists()
