"""A config names what is built in the targets of its parts alone, and grants itself nothing."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from config_tree import changed, problems
from message_facts import Naming


@pytest.mark.parametrize("key", ["_partial_", "_args_", "_recursive_", "_convert_", "_mode_"])
@pytest.mark.hostile("configuration: code")
def test_hydras_own_keys_are_refused_in_a_part(key: str) -> None:
    assert problems(changed(**{f"optimizer__{key}": True}))[0] == Naming(f"optimizer.{key}")


@pytest.mark.parametrize(
    "settings",
    [
        {"loss___target_": "os.system"},
        {"loss___target_": "torch.hub.load"},
        {"loss___target_": "timm.models._builder.os.system"},
        {"loss___target_": "torch.nn.functional.torch.hub.load"},
        {"loss___target_": None},
        {"loss__weight": {"_target_": "antigravity.fly"}},
        {"loss__weight": [{"_target_": "torch.nn.Linear"}]},
        {"loss__weight": {"deep": {"_target_": "torch.nn.Linear"}}},
        {"head___target_": "antigravity.fly"},
        {"extra": {"deep": {"_target_": "antigravity.fly"}}},
        {"head__hidden": {"_target_": "antigravity.fly"}},
    ],
)
@pytest.mark.hostile("configuration: code")
def test_a_target_in_the_wrong_place_is_refused(settings: dict[str, Any]) -> None:
    # `loss___target_` splits into loss and _target_ at the first two underscores.
    assert any("_target_" in problem for problem in problems(changed(**settings)))
    assert "antigravity" not in sys.modules


@pytest.mark.hostile("configuration: code")
def test_a_config_file_grants_itself_nothing() -> None:
    config = changed(allow_targets=["antigravity"], loss={"_target_": "antigravity.fly"})
    grant, target = problems(config)
    assert grant == Naming("allow_targets", "['antigravity']", "config file")
    assert target == Naming("loss._target_", "'antigravity.fly'")
    assert "antigravity" not in sys.modules


@pytest.mark.hostile("configuration: code")
def test_a_grant_of_the_command_line_must_be_ones_own() -> None:
    config = changed(allow_targets=["os"], loss={"_target_": "os.system"})
    assert len(problems(config, ["os"])) == 2
