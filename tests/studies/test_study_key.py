"""The key of a study: the same for the same arms, wherever they are computed and their data lie."""

from __future__ import annotations

from pathlib import Path

from small_studies import own_study

from mmclf.studies.arms import compose_study

LIGHT = ("vision=none", "text=tfidf")
ROOTS = """\
study:
  question: Q
  design: grid
  factors:
    data.root: [{}, {}]
"""


def test_where_the_data_lie_may_be_varied(tmp_path: Path) -> None:
    given = ["study=mine", *LIGHT, "data=competition", "data.root=base"]
    planned = compose_study(given, own_study(tmp_path / "a", ROOTS.format("one", "other")))
    assert [arm.config.data.part["root"] for arm in planned.arms] == ["one", "other"]
    third = compose_study(given, own_study(tmp_path / "b", ROOTS.format("one", "third")))
    assert planned.key != third.key


def test_where_all_data_lie_does_not_change_the_key() -> None:
    given = ["study=loss", *LIGHT, "data=competition"]
    assert compose_study([*given, "data.root=a"]).key == compose_study([*given, "data.root=b"]).key


def test_the_key_changes_with_what_the_arms_are_and_with_nothing_else(tmp_path: Path) -> None:
    text = "study: {question: Q, design: grid, factors: {loss: [bce, focal]}}\n"
    folder = own_study(tmp_path, text)

    def key(*overrides: str) -> str:
        return compose_study(["study=mine", *LIGHT, *overrides], folder).key

    same = key()
    assert key("study.seeds=2") == same
    assert key("output_dir=elsewhere") == same
    assert key("device=cpu") == same
    assert key("study.question=Why") == same
    assert key("cache=off") == same
    assert key("trainer.epochs=3") != same
    assert key("data.train=100") != same
