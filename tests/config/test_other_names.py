"""Settings and levels by what others call them, and no suggestion where nothing is near."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.config.compose import check_command, compose
from mmclf.config.other_names import OTHER_KEYS, OTHER_LEVELS
from mmclf.errors import InputError, folded, nearest


def refused(*lines: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_command(lines)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("learning_rate=1e-3", "optimizer.lr"),
        ("lr=1e-3", "optimizer.lr"),
        ("trainer.learning_rate=1e-3", "optimizer.lr"),
        ("optimizer.learning-rate=1", "optimizer.lr"),
        ("batch_size=32", "trainer.batch_size"),
        ("batchSize=32", "trainer.batch_size"),
        ("epochs=5", "trainer.epochs"),
        ("num_train_epochs=5", "trainer.epochs"),
        ("dropout=0.2", "head.dropout"),
        ("model.dropout=0.2", "head.dropout"),
        ("gpu=0", "device"),
        ("data_dir=/x", "data.root"),
        ("weight_decay=0.1", "+optimizer.weight_decay=0.1"),
        ("criterion=bce", "loss"),
        ("backbone=resnet18", "vision"),
        ("loss=BCE", "bce"),
        ("loss=cross_entropy", "bce"),
        ("optimizer=Adam-W", "adamw"),
        ("vision=ResNet-18", "resnet18"),
        ("vision=null", "none"),
        ("scheduler=none", "constant"),
        ("data=csv", "table"),
        ("data=mscoco", "coco"),
        ("threshold=0.45", "threshold=fixed threshold.value=0.45"),
        ("threshold=.3", "threshold.value=.3"),
        ("image=384", "image.size=384"),
        ("data=/x/y.CSV.gz", "data=table data.root=/x data.file=y.CSV.gz"),
        ("data=my/folder", "mmclf data init my/folder"),
    ],
)
def test_what_others_call_it_leads_to_it(line: str, meant: str) -> None:
    (problem, *_) = [text for text in refused(line) if text.startswith(line)]
    assert meant in problem.partition(" valid: ")[0]


@pytest.mark.parametrize("line", ["xyzzy=1", "trainer.xyzzy=1", "loss=zzzzzz", "momentum=0.9"])
def test_nothing_is_suggested_where_nothing_is_near(line: str) -> None:
    (problem,) = refused(line)
    assert "did you mean" not in problem
    assert "valid: " in problem


def test_every_key_that_is_meant_is_a_setting_of_some_level() -> None:
    tree = compose(["loss=focal", "optimizer=sgd", "vision=resnet18", "text=minilm"]).tree
    groups = {*tree, "experiment", "study"}
    unset = {"optimizer.momentum", "optimizer.weight_decay"}
    for key in {*OTHER_KEYS.values()} - unset:
        group, _, name = key.partition(".")
        assert group in groups
        assert not name or name in tree[group] or key == "data.root"


def test_every_level_that_is_meant_is_one() -> None:
    for group, level in {(group, level) for (group, _), level in OTHER_LEVELS.items()}:
        if group == "data":
            continue  # which needs a root
        other = ["vision=resnet18"] if group == "text" else []
        assert compose([f"{group}={level}", *other]).choices[group] == level


def test_all_settings_of_a_study_are_valid_also_those_that_its_file_leaves_out() -> None:
    (problem,) = refused("study=loss", "study.name=x", "vision=none", "text=tfidf")
    valid = set(problem.partition("valid: ")[2].split(", "))
    names = ("baseline", "design", "factors", "margin", "max_seeds", "metric", "orders")
    assert valid == {f"study.{name}" for name in (*names, "question", "seeds", "until")}
    assert "did you mean" not in problem


@pytest.mark.parametrize("line", ["study.name=x", "study.margin=0.01"])
def test_a_setting_of_no_study_says_so(line: str) -> None:
    (problem,) = refused(line)
    assert problem == Naming(line, "study=NAME")


@given(st.text(min_size=1, max_size=12))
def test_a_name_differs_by_case_and_dashes_alone(name: str) -> None:
    assert folded(name) == folded(folded(name))
    assert re.search(r"[\s_-]", folded(name)) is None
    assert nearest(name, [name]) == name


def test_names_below_one_key_are_compared_without_it() -> None:
    keys = ["trainer.clip_norm", "trainer.epochs"]
    assert nearest("trainer.learning_rate", keys) is None
    assert nearest("trainer.epoch", keys) == "trainer.epochs"
    assert nearest("trainr.epochs", keys) == "trainer.epochs"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("optimizer.lr=-0.001", "-0.001"),
        ("+optimizer.weight_decay=-1", "-1"),
        ("scheduler=one_cycle scheduler.pct_start=1.5", "1.5"),
        ("loss=weighted_bce loss.max_weight=-2", "-2"),
    ],
)
def test_numbers_beyond_their_bounds_are_refused(line: str, found: str) -> None:
    lines = line.split()
    (problem,) = refused(*lines)
    assert problem == Naming(lines[-1].lstrip("+").partition("=")[0], found)


@pytest.mark.parametrize("line", ["optimizer.lr=0", "+optimizer.weight_decay=0", "optimizer.lr=1"])
def test_numbers_at_their_bounds_are_taken(line: str) -> None:
    compose([line])
