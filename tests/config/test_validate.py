"""The composed config is checked whole: every setting, every part."""

from __future__ import annotations

import pytest
from config_tree import changed, problems, tree

from mmclf.config.schema import Config
from mmclf.config.validate import check

VISION = {
    "_target_": "mmclf.models.vision.TimmEncoder",
    "name": "resnet18",
    "trainable": False,
    "lr": 1e-4,
}


def test_a_good_tree_becomes_the_config() -> None:
    config = check(tree())
    assert isinstance(config, Config)
    assert (config.trainer.epochs, config.head.hidden, config.optimizer["lr"]) == (10, 512, 0.001)


@pytest.mark.parametrize(
    "settings",
    [
        {"head__hidden": None},
        {"head__dropout": 0},
        {"seed": 2**32 - 1},
        {"encode__workers": 4},
        {"optimizer__betas": [0.9, 0.99]},
        {"optimizer__foreach": None},
        {"text__max_features": None},
        {
            "loss": {
                "_target_": "mmclf.models.losses.WeightedBCE",
                "form": "log",
                "max_weight": None,
            }
        },
        {"loss": {"_target_": "timm.loss.AsymmetricLossMultiLabel", "gamma_neg": 2}},
        {
            "data": {
                "_target_": "mmclf.data.sources.competition.load",
                "root": "x",
                "label_names": {"1": "a"},
                "on_bad_image": "skip",
                "caption_order": "shuffled",
            }
        },
        {"fusion": {"_target_": "torch.nn.Sequential"}},
        {"image__crop": 1.0},
        {"text__trainable": True, "text__lr": 3},
        {"at_test__text": "shuffled"},
        {"at_test__text": "dropped", "vision": VISION},
        {"at_test": {"vision": "dropped", "text": "shuffled"}, "vision": VISION},
        {"trainer__clip_norm": 1, "trainer__patience": 2, "trainer__precision": "fp16"},
        {"scheduler": {"_target_": "torch.optim.lr_scheduler.StepLR", "step_size": 10}},
    ],
)
def test_what_is_allowed_passes(settings: dict[str, object]) -> None:
    check(changed(**settings))


BAD_SETTINGS: list[tuple[dict[str, object], str]] = [
    ({"seed": -1}, "seed: found -1, expected at least 0"),
    ({"seed": 2**32}, "seed: found 4294967296, expected a number below 4294967296"),
    ({"seed": 1.5}, "seed: found 1.5, expected a whole number"),
    ({"seed": True}, "seed: found True, expected a whole number"),
    ({"seed": "3"}, "seed: found '3', expected a whole number"),
    ({"seed": ...}, "seed is missing: give seed=VALUE"),
    ({"vision": ...}, "vision is missing: give vision=LEVEL"),
    ({"vision__trainable": True}, "vision.trainable is true, but vision is none: choose a level"),
    ({"text__trainable": "yes"}, "text.trainable: found 'yes', expected true or false"),
    ({"text__lr": 0.0}, "text.lr: found 0.0, expected a number above 0"),
    ({"text__lr": float("inf")}, "text.lr: found inf, expected a finite number"),
    ({"text__lr": ...}, "text.lr is missing: give text.lr=VALUE"),
    ({"text": {"trainable": False, "lr": 1.0}}, "text is missing: give text=LEVEL"),
    (
        {"data__on_bad_image": "skp"},
        "data.on_bad_image: found 'skp' (did you mean 'skip'?), expected 'error' or 'skip'",
    ),
    (
        {"data__caption_order": "shufled"},
        "data.caption_order: found 'shufled' (did you mean 'shuffled'?), expected 'own' or 'shuf",
    ),
    (
        {"at_test__vision": "droped"},
        "at_test.vision: found 'droped' (did you mean 'dropped'?), expected 'as_is', 'dropped' or",
    ),
    (
        {"at_test__vision": "shuffled"},
        "at_test.vision is 'shuffled', but vision is none: give at_test.vision=as_is, or choose a",
    ),
    (
        {"at_test__text": "dropped"},
        "at_test drops text, which leaves nothing to tell test samples apart by: give at_test.text",
    ),
    (
        {"at_test": {"vision": "dropped", "text": "dropped"}, "vision": VISION},
        "at_test drops vision and text, which leaves nothing",
    ),
    ({"at_test__words": "as_is"}, "at_test.words is not a setting: valid: text, vision"),
    ({"at_test": ...}, "at_test is missing: give at_test=VALUE"),
    ({"head__input_dropout": 1.0}, "head.input_dropout: found 1.0, expected a number below 1"),
    ({"image__crop": 0.0}, "image.crop: found 0.0, expected a number above 0.0 or null"),
    ({"image__crop": 1.01}, "image.crop: found 1.01, expected at most 1.0 or null"),
    ({"split__method": "randm"}, "split.method: found 'randm' (did you mean 'random'?)"),
    ({"trainer__accumulate": 0}, "trainer.accumulate: found 0, expected at least 1"),
    (
        {"trainer__clip_norm": 0.0},
        "trainer.clip_norm: found 0.0, expected a number above 0.0 or null",
    ),
    ({"trainer__patience": 0}, "trainer.patience: found 0, expected at least 1 or null"),
    ({"trainer__precision": "fp8"}, "trainer.precision: found 'fp8'"),
    ({"trainer__refit": 1}, "trainer.refit: found 1, expected true or false"),
    (
        {"scheduler": {"_target_": "torch.optim.lr_scheduler.ReduceLROnPlateau"}},
        "scheduler._target_ 'torch.optim.lr_scheduler.ReduceLROnPlateau' is another class",
    ),
    (
        {"scheduler__T_max": 5},
        "scheduler.T_max is given by mmclf itself: leave it out",
    ),
    (
        {"scheduler": {"_target_": "torch.optim.lr_scheduler.StepLR"}},
        "scheduler.step_size is missing",
    ),
    ({"scheduler": {"_target_": "torch.optim.Adam"}}, "scheduler._target_ 'torch.optim.Adam'"),
    ({"output_dir": ""}, "output_dir: found '', expected a text that is not empty"),
    ({"store__dir": 3}, "store.dir: found 3, expected a text"),
    ({"head": 3}, "head: found 3, expected a mapping"),
    ({"head__hidden": 0}, "head.hidden: found 0, expected at least 1 or null"),
    ({"head__dropout": 1.0}, "head.dropout: found 1.0, expected a number below 1.0"),
    ({"head__dropout": float("nan")}, "head.dropout: found nan, expected a number below 1.0"),
    ({"augment__vertical_flip": 2}, "augment.vertical_flip: found 2, expected at most 1.0"),
    ({"image__size": None}, "image.size: found null, expected pixels from 16 to 4096, or auto"),
    (
        {"encode__precision": "fp23"},
        "encode.precision: found 'fp23' (did you mean 'fp32'?), expected 'auto', 'fp32' or 'bf16'",
    ),
    ({"head__droput": 0.1}, "head.droput is not a setting: did you mean 'dropout'? valid: "),
    ({"sead": 3}, "sead is not a setting: did you mean 'seed'? valid: "),
    ({"trainer__epochs": "???"}, "trainer.epochs is missing: give trainer.epochs=EPOCHS"),
    ({"data__root": "???"}, "data.root is missing: give data.root=DIR"),
    ({"split__val": 0.6, "split__test": 0.5}, "split.val and split.test: found 0.6 and 0.5"),
    ({"augment__views": 2, "augment__padding": 224}, "augment.padding: found 224, expected less"),
    (
        {"text": {"_target_": None, "trainable": False, "lr": 1.0}},
        "vision and text: found none for each",
    ),
    ({"vision__name": "resnet18"}, "vision.name is set, but vision is none"),
    ({"fusion__dims": [1]}, "fusion.dims is given by mmclf itself: leave it out"),
    ({"optimizer__params": []}, "optimizer.params is given by mmclf itself: leave it out"),
    ({"optimizer__lr": "abc"}, "optimizer.lr: found 'abc', expected a number"),
    (
        {"optimizer__beta": 1},
        "optimizer.beta is not a setting of torch.optim.adam.Adam: did you mean 'betas'?",
    ),
    ({"text__max_features": "many"}, "text.max_features: found 'many', expected a whole number or"),
    ({"text__sublinear_tf": 1}, "text.sublinear_tf: found 1, expected true or false"),
    ({"data__root": ...}, "data.root is missing: mmclf.data."),
    ({"data__label_names": ["a"]}, "data.label_names: found ['a'], expected a mapping or null"),
    ({"loss__train_labels": 1}, "loss.train_labels is not a setting of torch.nn.modules.loss."),
    ({"fusion": {}}, "fusion._target_ is missing"),
    (
        {"fusion__dim": 1},
        "fusion.dim is not a setting of mmclf.models.fusion.Concat: valid: normalise",
    ),
]


@pytest.mark.parametrize(("settings", "message"), BAD_SETTINGS)
def test_a_bad_setting_is_named(settings: dict[str, object], message: str) -> None:
    (problem,) = problems(changed(**settings))
    assert problem.startswith(message)
    assert "\n" not in problem


def test_all_errors_come_at_once() -> None:
    one_each = {}
    for settings, message in BAD_SETTINGS:
        top = min(settings).partition("__")[0]
        if top not in one_each and ... not in settings.values() and top not in ("vision", "text"):
            one_each[top] = (settings, message)
    merged = {key: value for settings, _ in one_each.values() for key, value in settings.items()}
    messages = problems(changed(**merged))
    assert len(messages) == len(one_each) >= 10
    for _, message in one_each.values():
        assert any(text.startswith(message) for text in messages), message
