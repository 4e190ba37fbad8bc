"""Every value of a sweep is checked before anything runs."""

from __future__ import annotations

import pytest
from command_lines import HERE, problems
from message_facts import Naming

from mmclf.config import overrides
from mmclf.config.compose import check_command


def test_a_sweep_checks_every_value() -> None:
    command = check_command([*HERE, "seed=range(3)", "text=tfidf,bert"], multirun=True)
    assert command.kind == "sweep"
    assert (command.first.config.seed, command.first.choices["text"]) == (0, "tfidf")
    messages = problems("seed=1,-2,x", "text=tfidf,brt", "head.hidden=8,0", multirun=True)
    assert len(messages) == 4
    for line in ("seed=-2: seed:", "seed=x: seed:", "text=brt: ", "head.hidden=0: head.hidden"):
        assert any(problem.startswith(line) for problem in messages), line


def test_every_value_of_a_sweep_over_an_unknown_key_is_answered_once() -> None:
    messages = problems("trainer.epoch=1,2", multirun=True)
    key, nearest = "'trainer.epoch'", "'trainer.epochs'"
    assert messages == [Naming(f"trainer.epoch={n}", key, nearest) for n in (1, 2)]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=interval(0,1)", "interval"),
        ("text=glob(x*)", "no value"),
        ("hydra.job.name=a,b", "cannot be swept"),
        ("hydra/launcher=basic,basic", "cannot be swept"),
        ("allow_targets=[a],[b]", "cannot be swept"),
    ],
)
def test_a_bad_sweep_is_answered(override: str, message: str) -> None:
    assert message in "\n".join(problems(override, multirun=True))


def test_a_sweep_may_be_asked_for_by_the_config() -> None:
    command = check_command([*HERE, "hydra.mode=MULTIRUN", "text=glob(*,exclude=[none,hugg*])"])
    assert command.kind == "sweep"


def test_of_a_long_sweep_the_first_values_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides, "MAX_VALUES", 3)
    assert check_command([*HERE, "seed=range(2,-99998,-1)"], multirun=True).kind == "sweep"
    assert problems("seed=range(1,-99999,-1)", multirun=True) == [Naming("seed=-1", "seed")]


def test_a_key_that_only_a_swept_level_has_is_explained() -> None:
    sweep = ("vision=efficientnet_lite0,efficientnet_v2_s",)
    assert "++KEY=VALUE" in problems(*sweep, "vision.weights=random", multirun=True)[0]
    assert check_command([*HERE, *sweep, "++vision.weights=random"], multirun=True).kind == "sweep"
