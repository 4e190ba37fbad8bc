"""Composing a study: every arm is checked before any runs."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from message_facts import Naming
from small_studies import own_study

from mmclf.config.compose import check_command, compose
from mmclf.errors import InputError
from mmclf.studies.arms import PlannedStudy, compose_study, job_lines

LIGHT = ("vision=none", "text=tfidf")
SHIPPED = {
    "results_table": 2,
    "vision": 7,
    "vision_offline": 5,
    "text": 6,
    "text_offline": 4,
    "modality": 7,
    "fusion": 5,
    "loss": 6,
    "threshold": 7,
    "hyperparameters": 8,
    "attribution": 64,
    "floor": 4,
}


@functools.cache
def shipped(name: str) -> PlannedStudy:
    """A study as it is shipped; the largest takes seconds to compose."""
    return compose_study([f"study={name}"])


@pytest.mark.parametrize(("name", "arms"), SHIPPED.items())
def test_a_shipped_study_composes(name: str, arms: int) -> None:
    planned = shipped(name)
    assert (planned.name, len(planned.arms)) == (name, arms)
    assert planned.study.seed_list == (0, 1, 2, 3, 4)


def test_all_shipped_studies_are_tried_here() -> None:
    folder = Path(__file__).parents[2] / "conf" / "study"
    assert {path.stem for path in folder.glob("*.yaml")} == set(SHIPPED)


def test_every_arm_has_the_base_and_its_own_level() -> None:
    planned = compose_study(["study=loss", *LIGHT, "trainer.epochs=3", "study.seeds=[4,2]"])
    assert planned.study.seed_list == (4, 2)
    for arm, composed in zip(planned.design.arms, planned.arms, strict=True):
        assert composed.config.vision.is_none
        assert composed.config.trainer.epochs == 3
        assert composed.choices["loss"] == arm.overrides[0].removeprefix("loss=")
    forms = [arm.config.loss.get("form") for arm in planned.arms]
    assert forms == [None, "raw", "sqrt", "log", None, None]
    assert job_lines(planned.design.arms[1], 7) == ["loss=weighted_bce", "loss.form=raw", "seed=7"]


def test_the_improved_arm_of_an_attribution_is_the_preset_but_for_its_encoders() -> None:
    attribution, table = shipped("attribution"), shipped("results_table")
    names = [arm.name for arm in attribution.design.arms]
    for index, name in enumerate(["default", "improved"]):
        first, second = attribution.arms[names.index(name)].config, table.arms[index].config
        for key in ("loss", "threshold", "head", "optimizer", "trainer", "augment", "scheduler"):
            assert getattr(first, key) == getattr(second, key), key


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["loss=focal"], Naming("loss=focal", "study=loss")),
        (["seed=3"], Naming("seed=3", "study=loss", "study.seeds")),
        (["hydra/sweeper=basic"], Naming("of a study")),
        (["hydra.mode=RUN"], Naming("of a study")),
        (["study.design=ladder"], Naming("study.factors.loss", "6 levels")),
        (["study.design=gird"], Naming("study.design", "'gird'", "'grid'")),
        (["study.baseline=fokal"], Naming("'fokal'", "'focal'")),
        (["study.metric=test/map"], Naming("study.metric", "'test/map'")),
        (["study.seeds=2,3"], Naming("study.seeds=2,3", "several values")),
        (["trainer.epochs=2,3"], Naming("trainer.epochs=2,3", "several values")),
        (["study.question=''"], Naming("study.question")),
        (["+study.colour=red"], Naming("study.colour", "not a setting")),
        (["trainer.epochs=0"], Naming("trainer.epochs", "0")),
        (["loss.gamma=3"], Naming("loss.gamma")),
    ],
)
def test_a_mistake_in_a_study_is_named_before_anything_runs(
    overrides: list[str], words: Naming
) -> None:
    with pytest.raises(InputError) as caught:
        compose_study(["study=loss", *LIGHT, *overrides])
    assert str(caught.value) == words
    assert "++" not in str(caught.value)  # by which settings with a default are set


def test_what_only_some_arms_set_may_be_overridden() -> None:
    planned = compose_study(["study=modality", "text=tfidf"])
    levels = {
        arm.name: c.choices["text"]
        for arm, c in zip(planned.design.arms, planned.arms, strict=True)
    }
    assert levels["both"] == levels["text alone"] == "tfidf"
    assert levels["image alone"] == "none"


def test_a_level_that_cannot_be_composed_is_named_with_its_arm(tmp_path: Path) -> None:
    text = (
        "study:\n  question: Q\n  design: grid\n"
        "  factors: {loss: [bce, focla], trainer.epochs: [1, 0]}\n"
    )
    with pytest.raises(InputError) as caught:
        compose_study(["study=mine", *LIGHT], own_study(tmp_path, text))
    problems = caught.value.problems
    assert Naming("study.factors.loss", "'focla'", "'focal'", "bce") in problems
    assert Naming("'loss=bce, trainer.epochs=0'", "trainer.epochs", 0) in problems


@pytest.mark.parametrize(
    ("seeds", "found"), [("0", "0"), ("[]", "[]"), ("[-1]", "[-1]"), ("few", "'few'")]
)
def test_seeds_that_are_none_are_refused(seeds: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        compose_study(["study=loss", *LIGHT, f"study.seeds={seeds}"])
    assert list(caught.value.problems) == [Naming("study.seeds", found, "at least 1", "from 0 on")]


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ("los: [bce, focal]", Naming("study.factors.los", "'los'", "'loss'")),
        (
            "trainer.epoch: [1, 2]",
            Naming("study.factors.trainer.epoch", "'trainer.epoch'", "'trainer.epochs'"),
        ),
        ("colour: [1, 2]", Naming("study.factors.colour", "'colour'")),
        (
            "loss: [bce, focl]",
            Naming("study.factors.loss", "'focl'", "'focal'", "bce"),
        ),
        (
            "size: {small: head.hiden=8, large: head.hidden=16}",
            Naming("study.factors.size.small", "head.hiden=8", "'head.hiden'", "'head.hidden'"),
        ),
        (
            "dropout: {0.0: head.dropout=0.0, 0.2: head.dropout=0.2}",
            Naming("study.factors.dropout", "{0.0: 'head.dropout=0.0'", '"0.0" and "0.2"'),
        ),
        ("loss: focal", Naming("study.factors.loss", "'focal'", "list")),
        ("loss: {a: 3, b: loss=bce}", Naming("study.factors.loss", "{'a': 3, 'b': 'loss=bce'}")),
    ],
)
def test_a_mistake_in_a_factor_is_one_finding_where_it_stands(
    factors: str, words: Naming, tmp_path: Path
) -> None:
    text = f"study:\n  question: Q\n  design: grid\n  factors:\n    {factors}\n"
    with pytest.raises(InputError) as caught:
        compose_study(["study=mine", *LIGHT], own_study(tmp_path, text))
    (problem,) = caught.value.problems
    assert problem == words


def test_a_key_that_only_some_arms_lack_is_named_with_them(tmp_path: Path) -> None:
    text = (
        "study:\n  question: Q\n  design: grid\n"
        "  factors: {loss: [bce, focal], loss.gamma: [1.0, 2.0]}\n"
    )
    with pytest.raises(InputError) as caught:
        compose_study(["study=mine", *LIGHT], own_study(tmp_path, text))
    assert [messages.partition(": ")[0] for messages in caught.value.problems] == [
        "arm 'loss=bce, loss.gamma=1.0'",
        "arm 'loss=bce, loss.gamma=2.0'",
    ]


def test_a_group_may_have_another_level_below_which_the_study_varies_keys() -> None:
    planned = compose_study(["study=hyperparameters", *LIGHT, "optimizer=adamw"])
    assert {arm.choices["optimizer"] for arm in planned.arms} == {"adamw"}
    assert len({arm.config.optimizer["lr"] for arm in planned.arms}) == 4
    with pytest.raises(InputError, match=r"optimizer=\{lr:0\.1\}: study=hyperparameters varies"):
        compose_study(["study=hyperparameters", *LIGHT, "optimizer={lr:0.1}"])


def test_an_override_that_makes_arms_the_same_is_named(tmp_path: Path) -> None:
    text = (
        "study:\n  question: Q\n  design: attribution\n"
        "  factors: {loss: [bce, focal], threshold: [fixed, fixed_0.45]}\n"
    )
    given = ["study=mine", *LIGHT, "trainer.epochs=2", "threshold.value=0.7"]
    with pytest.raises(InputError) as caught:
        compose_study(given, own_study(tmp_path, text))
    assert list(caught.value.problems) == [
        Naming("threshold.value=0.7", "study=mine", "threshold", "'default'", "'threshold'")
    ]


def test_an_override_that_makes_many_arms_the_same_is_named_once(tmp_path: Path) -> None:
    text = (
        "study:\n  question: Q\n  design: grid\n"
        "  factors: {threshold: [fixed, fixed_0.45, fixed_0.3]}\n"
    )
    folder = own_study(tmp_path, text)
    (folder / "threshold").mkdir()
    own = "_target_: mmclf.evaluation.thresholds.Fixed\nvalue: 0.3\nempty: argmax\n"
    (folder / "threshold" / "fixed_0.3.yaml").write_text(own)
    assert len(compose_study(["study=mine", *LIGHT], folder).arms) == 3
    with pytest.raises(InputError) as caught:
        compose_study(["study=mine", *LIGHT, "threshold.value=0.7"], folder)
    assert [messages.partition(": ")[0] for messages in caught.value.problems] == [
        "threshold.value=0.7"
    ]


def test_settings_that_its_file_leaves_out_may_be_set(tmp_path: Path) -> None:
    text = "study: {question: Q, design: grid, factors: {loss: [bce, focal]}}\n"
    settings = ("seeds=2", "metric=test/f1_micro", "baseline=focal", "margin=0.01", "max_seeds=4")
    lines = [f"study.{setting}" for setting in settings]
    planned = compose_study(["study=mine", *LIGHT, *lines], own_study(tmp_path, text))
    assert (planned.study.seeds, planned.study.metric) == (2, "test/f1_micro")
    assert (planned.study.baseline, planned.study.margin) == ("focal", 0.01)
    assert planned.study.max_seeds == 4


def test_two_arms_that_are_one_configuration_are_refused(tmp_path: Path) -> None:
    text = (
        "study:\n  question: Q\n  design: grid\n  factors:\n"
        "    loss: {a: loss=bce, b: [loss=bce, optimizer.lr=0.001]}\n"
    )
    with pytest.raises(InputError, match=r"'a' and 'b' "):
        compose_study(["study=mine", *LIGHT], own_study(tmp_path, text))


def test_a_study_file_without_the_sweeper_says_what_to_add(tmp_path: Path) -> None:
    text = "study: {question: Q, design: grid, factors: {loss: [bce, focal]}}\n"
    folder = own_study(tmp_path, text, head="# @package _global_\n")
    with pytest.raises(InputError, match="override /hydra/sweeper: study"):
        compose_study(["study=mine", *LIGHT], folder)


def test_a_study_file_may_say_that_it_is_a_multirun(tmp_path: Path) -> None:
    factors = "{question: Q, design: grid, factors: {loss: [bce, focal]}}"
    text = f"hydra: {{mode: MULTIRUN}}\nstudy: {factors}\n"
    assert len(compose_study(["study=mine", *LIGHT], own_study(tmp_path, text)).arms) == 2


def test_a_study_is_no_run() -> None:
    with pytest.raises(InputError, match="those of a study"):
        compose(["study=loss", *LIGHT])


def test_studies_are_not_swept() -> None:
    with pytest.raises(InputError, match="study=loss,fusion: found several values"):
        check_command(["study=loss,fusion", *LIGHT], multirun=True)


def test_no_study_at_all_is_said() -> None:
    with pytest.raises(InputError, match="no study: give study=NAME"):
        compose_study(LIGHT)
