"""Paths of targets that have moved are still accepted, with a line that says where they are."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from mmclf import compose
from mmclf.config.components import COMPONENTS
from mmclf.config.moved_targets import (
    MOVED_MODULES,
    current_target,
    moved_targets,
    with_current_targets,
)
from mmclf.config.shipped import conf_dir
from mmclf.config.targets import build, resolve
from mmclf.errors import InputError
from mmclf.studies.arms import compose_study

OLD = "mmclf.losses.FocalLoss"
NEW = "mmclf.models.losses.FocalLoss"


def exported(module: str) -> list[str]:
    """The public classes and functions that a module defines."""
    return [
        name
        for name, value in vars(import_module(module)).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module
    ]


@pytest.mark.parametrize(("old", "new"), MOVED_MODULES.items())
def test_an_old_path_leads_to_what_the_new_one_does(old: str, new: str) -> None:
    resolved = 0
    for name in exported(new):
        for role in COMPONENTS:
            try:
                target = resolve(f"{new}.{name}", role, [])
            except InputError:
                continue
            assert resolve(f"{old}.{name}", role, []) is target
            resolved += 1
    assert resolved > 0


def test_no_shipped_level_names_an_old_path() -> None:
    texts = [file.read_text() for file in conf_dir().rglob("*.yaml")]
    targets = [
        line.partition("_target_:")[2].split("#")[0].strip()
        for text in texts
        for line in text.splitlines()
        if "_target_:" in line
    ]
    assert len(targets) > 20
    assert [name for name in targets if current_target(name) != name] == []


@pytest.mark.parametrize("name", [NEW, "mmclf.lossesX.FocalLoss", "my.losses.FocalLoss", "", "x"])
def test_every_other_path_stays_as_it_is(name: str) -> None:
    assert current_target(name) == name


def test_targets_are_replaced_at_any_depth_and_nothing_else_is() -> None:
    node = {
        "_target_": OLD,
        "name": OLD,
        "inner": [{"_target_": OLD, "gamma": 2.0}, {"_target_": None}],
    }
    expected = {
        "_target_": NEW,
        "name": OLD,
        "inner": [{"_target_": NEW, "gamma": 2.0}, {"_target_": None}],
    }
    assert with_current_targets(node) == expected
    assert list(moved_targets(node)) == [OLD, OLD]
    assert list(moved_targets(expected)) == []


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    for name, text in {
        "loss/mine": f"_target_: {OLD}\ngamma: 2.0\nalpha: null\n",
        "loss/other": f"_target_: {OLD}\ngamma: 3.0\nalpha: null\n",
        "threshold/mine": "_target_: mmclf.thresholds.Fixed\nvalue: 0.5\nempty: argmax\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_a_config_with_an_old_path_is_that_with_the_new_one(
    conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    composed = compose(["loss=mine"], conf)
    shipped = compose(["loss=focal"])
    assert (composed.config, composed.tree) == (shipped.config, shipped.tree)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert OLD in lines[0]
    assert NEW in lines[0]


def test_each_old_path_is_noted_once(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (conf / "study").mkdir()
    (conf / "study" / "own.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /hydra/sweeper: study\n"
        "study: {question: Q, design: grid, factors: {loss: [mine, other]}}\n"
    )
    planned = compose_study(["study=own", "threshold=mine"], conf)
    assert [arm.config.loss["_target_"] for arm in planned.arms] == [NEW, NEW]
    lines = capsys.readouterr().err.splitlines()
    assert sorted(line.split()[2] for line in lines) == [OLD, "mmclf.thresholds.Fixed"]


def test_what_is_built_of_an_old_path_is_proved_as_any_other() -> None:
    loss = build({"_target_": OLD, "gamma": 2.0, "alpha": None}, "loss")
    assert inspect.getmodule(type(loss)).__name__ == "mmclf.models.losses"  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"mmclf\.models\.losses has no 'FocalLos'"):
        resolve("mmclf.losses.FocalLos", "loss", [])
    with pytest.raises(InputError, match="is the module torch"):
        resolve("mmclf.losses.torch", "loss", [])
