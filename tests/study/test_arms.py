"""Composing a study: every arm is checked before any runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmclf.errors import InputError
from mmclf.study.arms import compose_study, job_lines

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
HEAD = """\
# @package _global_
defaults:
  - override /hydra/sweeper: study
hydra:
  mode: MULTIRUN
"""


def own_study(folder: Path, text: str, head: str = HEAD) -> Path:
    path = folder / "study" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(head + text)
    return folder


@pytest.mark.parametrize(("name", "arms"), SHIPPED.items())
def test_a_shipped_study_composes(name: str, arms: int) -> None:
    found = compose_study([f"study={name}"])
    assert (found.name, len(found.arms)) == (name, arms)
    assert found.study.seed_list == (0, 1, 2, 3, 4)


def test_all_shipped_studies_are_tried_here() -> None:
    folder = Path(__file__).parents[2] / "conf" / "study"
    assert {path.stem for path in folder.glob("*.yaml")} == set(SHIPPED)


def test_every_arm_has_the_base_and_its_own_level() -> None:
    found = compose_study(["study=loss", *LIGHT, "trainer.epochs=3", "study.seeds=[4,2]"])
    assert found.study.seed_list == (4, 2)
    for arm, composed in zip(found.design.arms, found.arms, strict=True):
        assert composed.config.vision.is_none
        assert composed.config.trainer.epochs == 3
        assert composed.choices["loss"] == arm.overrides[0].removeprefix("loss=")
    forms = [arm.config.loss.get("form") for arm in found.arms]
    assert forms == [None, "raw", "sqrt", "log", None, None]
    assert job_lines(found.design.arms[1], 7) == ["loss=weighted_bce", "loss.form=raw", "seed=7"]


def test_the_improved_arm_of_an_attribution_is_the_preset_but_for_its_encoders() -> None:
    attribution = compose_study(["study=attribution"])
    table = compose_study(["study=results_table"])
    names = [arm.name for arm in attribution.design.arms]
    for place, name in enumerate(["default", "improved"]):
        one, other = attribution.arms[names.index(name)].config, table.arms[place].config
        for key in ("loss", "threshold", "head", "optimizer", "trainer", "augment", "scheduler"):
            assert getattr(one, key) == getattr(other, key), key


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["loss=focal"], "loss=focal: study=loss varies loss"),
        (["seed=3"], "seed=3: study=loss runs its own seeds: give study.seeds="),
        (["hydra/sweeper=basic"], "expected those of a study"),
        (["hydra.mode=RUN"], "expected those of a study"),
        (["study.design=ladder"], "study.factors.loss: found 6 levels, expected two"),
        (["study.design=gird"], "study.design: found 'gird' (did you mean 'grid'?)"),
        (["study.baseline=fokal"], "there is no arm 'fokal': did you mean 'focal'?"),
        (["study.metric=test/map"], "study.metric: found 'test/map'"),
        (["study.seeds=0"], "study.seeds"),
        (["study.seeds=[]"], "study.seeds"),
        (["study.seeds=[-1]"], "study.seeds"),
        (["study.question=''"], "study.question"),
        (["+study.colour=red"], "study.colour is not a setting"),
        (["trainer.epochs=0"], "trainer.epochs: found 0, expected"),
        (["loss.gamma=3"], "loss.gamma"),
    ],
)
def test_a_mistake_in_a_study_is_named_before_anything_runs(
    overrides: list[str], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        compose_study(["study=loss", *LIGHT, *overrides])
    assert words in str(caught.value)


def test_what_only_some_arms_set_may_be_overridden() -> None:
    found = compose_study(["study=modality", "text=tfidf"])
    levels = {
        arm.name: c.choices["text"] for arm, c in zip(found.design.arms, found.arms, strict=True)
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
    told = str(caught.value)
    assert "arm 'loss=focla, trainer.epochs=1'" in told
    assert "arm 'loss=bce, trainer.epochs=0'" in told


def test_two_arms_that_are_one_configuration_are_refused(tmp_path: Path) -> None:
    text = (
        "study:\n  question: Q\n  design: grid\n  factors:\n"
        "    loss: {a: loss=bce, b: [loss=bce, optimizer.lr=0.001]}\n"
    )
    with pytest.raises(InputError, match="the arms 'a' and 'b' are the same configuration"):
        compose_study(["study=mine", *LIGHT], own_study(tmp_path, text))


def test_a_study_file_without_the_sweeper_says_what_to_add(tmp_path: Path) -> None:
    text = "study: {question: Q, design: grid, factors: {loss: [bce, focal]}}\n"
    folder = own_study(tmp_path, text, head="# @package _global_\n")
    with pytest.raises(InputError, match="override /hydra/sweeper: study"):
        compose_study(["study=mine", *LIGHT], folder)


def test_no_study_at_all_is_said() -> None:
    with pytest.raises(InputError, match="there is no study: give study=NAME"):
        compose_study(LIGHT)


def key(*overrides: str) -> str:
    return compose_study(["study=loss", *LIGHT, *overrides]).key


def test_the_key_changes_with_what_the_arms_are_and_with_nothing_else() -> None:
    same = key()
    assert key("study.seeds=2") == same
    assert key("output_dir=elsewhere") == same
    assert key("device=cpu") == same
    assert key("study.question=Why") == same
    assert key("cache=off") == same
    assert key("trainer.epochs=3") != same
    assert key("data.train=100") != same
