"""The presets: every setting of the original system, and groups that can still be overridden."""

from __future__ import annotations

import pytest

from mmclf import compose

IMPROVED = {
    "vision": "efficientnet_v2_s",
    "text": "bert",
    "fusion": "concat",
    "loss": "weighted_bce",
    "threshold": "fixed_0.45",
    "optimizer": "adam",
    "augment": "crop_flip",
}


def test_improved_is_the_originals_best_setting() -> None:
    composed = compose(["experiment=improved"])
    config = composed.config
    assert {group: composed.choices[group] for group in IMPROVED} == IMPROVED
    assert config.threshold["value"] == 0.45
    assert config.head.dropout == 0.2
    assert config.optimizer["_target_"] == "torch.optim.Adam"
    assert config.optimizer["lr"] == 2e-3
    assert (config.trainer.batch_size, config.trainer.epochs) == (256, 10)
    assert config.loss["form"] == "log"
    assert config.augment.views > 1
    assert config.augment.padding > 0
    assert config.augment.horizontal_flip == config.augment.vertical_flip == 0.5


def test_default_is_the_same_model_untuned() -> None:
    composed = compose(["experiment=default"])
    config = composed.config
    same = ("vision", "text", "fusion", "optimizer")
    assert all(composed.choices[group] == IMPROVED[group] for group in same)
    assert config.loss == {"_target_": "torch.nn.BCEWithLogitsLoss"}
    assert config.threshold["value"] == 0.5
    assert (config.augment.views, config.head.dropout) == (1, 0.0)


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("threshold=fixed", "threshold"),
        ("loss=bce", "loss"),
        ("vision=none", "vision"),
        ("optimizer=adamw", "optimizer"),
        ("augment=none", "augment"),
    ],
)
def test_a_group_of_a_preset_can_be_overridden(override: str, key: str) -> None:
    preset = compose(["experiment=improved"])
    overridden = compose(["experiment=improved", override])
    assert overridden.choices[key] == override.partition("=")[2]
    assert overridden.tree[key] != preset.tree[key]


def test_offline_needs_no_hub_and_trains_anew_on_val() -> None:
    composed = compose(["experiment=offline"])
    config = composed.config
    assert config.vision.part["weights"] == config.text.part["weights"] == "package"
    assert config.fusion["normalise"] is True
    assert composed.choices["threshold"] == "global_f1"
    assert config.trainer.refit


@pytest.mark.parametrize(
    "override",
    [
        "vision=none",
        "text=tfidf",
        "fusion=concat",
        "fusion=gated",
        "loss=focal",
        "threshold=fixed",
        "optimizer=sgd",
        "scheduler=one_cycle",
        "augment=crop_flip",
    ],
)
def test_any_group_fits_after_the_offline_preset(override: str) -> None:
    group, _, level = override.partition("=")
    composed = compose(["experiment=offline", override])
    assert composed.choices[group] == level
