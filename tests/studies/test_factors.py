"""Factors: the overrides that a level stands for, and what a study file may not say."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.config.study_schema import Study
from mmclf.errors import InputError
from mmclf.studies.factors import Factor, Level, factors_of, key_of, literal, quoted


def study(factors: dict[str, Any]) -> Study:
    return Study(question="Which?", design="grid", factors=factors)


def test_a_list_gives_a_level_for_each_value() -> None:
    factors = factors_of(study({"loss": ["bce", "focal"], "optimizer.lr": [0.001, 0.002]}))
    assert factors == (
        Factor("loss", (Level("bce", ("loss=bce",)), Level("focal", ("loss=focal",)))),
        Factor(
            "optimizer.lr",
            (Level("0.001", ("optimizer.lr=0.001",)), Level("0.002", ("optimizer.lr=0.002",))),
        ),
    )


def test_a_mapping_names_levels_and_what_each_stands_for() -> None:
    (actual,) = factors_of(
        study({"weights": {"none": [], "one": "loss=bce", "both": ["loss=focal", "loss.gamma=3"]}})
    )
    assert [(level.name, level.overrides) for level in actual.levels] == [
        ("none", ()),
        ("one", ("loss=bce",)),
        ("both", ("loss=focal", "loss.gamma=3")),
    ]


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ({}, Naming("study.factors", "empty")),
        ({"loss": ["bce"]}, Naming("study.factors.loss", "bce", "two levels")),
        ({"loss": []}, Naming("study.factors.loss", "no level")),
        ({"loss": ["bce", "bce"]}, Naming("bce, bce", "two levels")),
        ({"x": {"a": "loss=bce,focal", "b": "loss=bce"}}, Naming("several values")),
        ({"x": {"a": "loss", "b": "loss=bce"}}, Naming("study.factors.x.a", "loss", "no =")),
        ({"seed": [0, 1]}, Naming("study.seeds")),
        ({"hydra/launcher": ["basic", "joblib"]}, Naming("cannot vary hydra/launcher")),
        ({"allow_targets": [["a"], ["b"]]}, Naming("cannot vary allow_targets")),
        ({"tracking.uri": ["a", "b"]}, Naming("cannot vary tracking.uri")),
        ({"study": ["a", "b"]}, Naming("cannot vary study")),
        ({"device": ["cpu", "cuda"]}, Naming("study.factors.device", "cannot vary device")),
        ({"cache": ["on", "off"]}, Naming("cannot vary cache")),
        ({"output_dir": ["a", "b"]}, Naming("cannot vary output_dir")),
        ({"store.dir": ["a", "b"]}, Naming("cannot vary store.dir")),
        ({"encode.workers": [1, 2]}, Naming("cannot vary encode.workers")),
        ({"tracking": ["mlflow", "own"]}, Naming("cannot vary tracking")),
        (
            {"x": {"a": "device=cpu", "b": []}},
            Naming("study.factors.x.a", "device=cpu", "cannot vary"),
        ),
    ],
)
def test_what_no_study_can_vary_is_named(factors: dict[str, Any], words: Naming) -> None:
    with pytest.raises(InputError) as caught:
        factors_of(study(factors))
    assert str(caught.value) == words


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(InputError) as caught:
        factors_of(study({"loss": ["bce"], "seed": [0, 1]}))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name", ["devices", "encode.precision", "studying", "data.root"])
def test_what_is_only_called_like_something_fixed_can_vary(name: str) -> None:
    (actual,) = factors_of(study({name: ["a", "b"]}))
    assert actual.name == name


@pytest.mark.parametrize(
    ("line", "key"), [("loss=bce", "loss"), ("+a.b=1", "a.b"), ("++c=[1]", "c"), ("~d", "d")]
)
def test_the_key_of_an_override(line: str, key: str) -> None:
    assert key_of(line) == key


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(VALUES)
def test_hydra_reads_a_literal_back_as_it_was(value: object) -> None:
    parsed = OverridesParser.create().parse_override(f"key={literal(value)}").value()
    assert _unquoted(parsed) == value


@given(st.text())
def test_hydra_reads_a_quoted_text_back_as_it_was(text: str) -> None:
    parsed = OverridesParser.create().parse_override(f"key={quoted(text)}").value()
    assert _unquoted(parsed) == text


def _unquoted(value: object) -> object:
    from hydra.core.override_parser.types import QuotedString

    if isinstance(value, list):
        return [_unquoted(item) for item in value]
    return value.text if isinstance(value, QuotedString) else value
