from __future__ import annotations

import pytest

from mmclf.pipeline.run_naming import arm_name, params, run_name, run_tags, settings_of

CHOICES = {"experiment": "improved", "vision": "efficientnet_lite0", "text": "minilm"}


@pytest.mark.parametrize(
    ("choices", "overrides", "expected"),
    [
        ({}, ["seed=1"], "improved: efficientnet_lite0 + minilm, seed=1"),
        ({}, ["experiment=improved", "vision=timm"], "improved: efficientnet_lite0 + minilm"),
        ({"experiment": "null"}, [], "efficientnet_lite0 + minilm"),
        ({"vision": "none"}, ["loss=bce", "seed=0"], "improved: minilm, loss=bce, seed=0"),
        ({"text": "none"}, ["text=none"], "improved: efficientnet_lite0"),
        (
            {},
            ["vision.name=resnet18"],
            "improved: efficientnet_lite0 + minilm, vision.name=resnet18",
        ),
        (
            {},
            [
                "output_dir=o",
                "device=cpu",
                "tracking.uri=x",
                "store.dir=s",
                "encode.batch_size=2",
                "+hydra.verbose=true",
                "hydra/launcher=basic",
                "data.root=r",
                "data=competition",
                "+data.more=1",
                "~image",
            ],
            "improved: efficientnet_lite0 + minilm, data=competition, +data.more=1, ~image",
        ),
    ],
)
def test_run_names(choices: dict[str, str], overrides: list[str], expected: str) -> None:
    assert run_name(CHOICES | choices, overrides) == expected


def test_a_run_without_a_preset_group() -> None:
    assert run_name({"vision": "none", "text": "tfidf"}, []) == "tfidf"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], "base"),
        (["seed=3", "output_dir=o", "device=cpu", "tracking.experiment=e"], "base"),
        (["loss=bce", "seed=3", "vision=timm"], "loss=bce,vision=timm"),
        (["++seed=3", "split.test_seed=1"], "split.test_seed=1"),
    ],
)
def test_an_arm_is_what_is_asked_for_but_its_seed(overrides: list[str], expected: str) -> None:
    assert arm_name(overrides) == expected


def test_tags() -> None:
    tags = run_tags(
        {"vision": "none", "text": "tfidf"},
        "text=tfidf",
        0,
        {"commit": None, "hardware": "2 x CPU"},
    )
    assert tags == {
        "mmclf.vision": "none",
        "mmclf.text": "tfidf",
        "mmclf.hardware": "2 x CPU",
        "mmclf.arm": "text=tfidf",
        "mmclf.seed": "0",
    }


def test_where_the_data_lie_is_no_setting_unless_asked_for() -> None:
    tree = {"data": {"root": "r", "file": "f"}, "cache": "on", "seed": 1, "store": {"dir": "s"}}
    assert settings_of(tree) == {"data.file": "f"}
    assert settings_of(tree, with_root=True) == {"data.file": "f", "data.root": "r"}


def test_whether_a_divided_group_is_admitted_is_no_setting() -> None:
    assert settings_of({"split": {"val": 0.1, "on_shared_group": "warn"}}) == {"split.val": 0.1}


def test_parameters_by_dotted_key() -> None:
    tree = {
        "seed": 0,
        "head": {"hidden": None, "inner": {"x": [1, 2]}},
        "package": {},
        "tracking": {"uri": "secret"},
    }
    levels = {"vision": "none", "experiment": "null"}
    assert params(levels, tree) == {
        "vision": "none",
        "seed": 0,
        "head.hidden": None,
        "head.inner.x": [1, 2],
        "package": {},
    }
