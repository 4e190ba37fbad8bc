"""The composed config as a tree that is good, or changed, and what is wrong with it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mmclf.config.grants import Grants
from mmclf.config.validate import check
from mmclf.errors import InputError


def tree() -> dict[str, Any]:
    return {
        "data": {
            "_target_": "mmclf.data.sources.competition.load",
            "root": "here",
            "on_bad_image": "error",
            "caption_order": "own",
        },
        "split": {"method": "iterative", "val": 0.1, "test": 0.1, "test_seed": 0},
        "image": {"size": 224, "crop": None},
        "augment": {
            "views": 1,
            "padding": 0,
            "horizontal_flip": 0.0,
            "vertical_flip": 0,
            "seed": 0,
        },
        "vision": {"_target_": None, "trainable": False, "lr": 1e-4},
        "text": {
            "_target_": "mmclf.models.tfidf.Tfidf",
            "min_df": 1,
            "trainable": False,
            "lr": 1e-4,
        },
        "fusion": {"_target_": "mmclf.models.fusion.Concat"},
        "loss": {"_target_": "torch.nn.BCEWithLogitsLoss"},
        "threshold": {"_target_": "mmclf.evaluation.thresholds.Fixed", "value": 0.5},
        "optimizer": {"_target_": "torch.optim.Adam", "lr": 0.001},
        "scheduler": {"_target_": "torch.optim.lr_scheduler.CosineAnnealingLR"},
        "trainer": {
            "epochs": 10,
            "batch_size": 64,
            "accumulate": 1,
            "clip_norm": None,
            "patience": None,
            "precision": "fp32",
            "refit": False,
            "monitor": "val/loss",
        },
        "tracking": {"uri": "sqlite:///x.db", "experiment": "mmclf", "parent": None},
        "seed": 0,
        "device": "auto",
        "output_dir": "outputs",
        "allow_targets": [],
        "allow_env": [],
        "allow_model_types": [],
        "head": {"hidden": 512, "dropout": 0.0, "input_dropout": 0.0},
        "at_test": {"vision": "as_is", "text": "as_is"},
        "encode": {"batch_size": 64, "precision": "auto", "workers": None},
        "cache": "on",
        "store": {"dir": "outputs/store"},
    }


def changed(**settings: object) -> dict[str, Any]:
    """The tree with other settings, `__` for a dot; a value of `...` removes the key."""
    result = tree()
    for path, value in settings.items():
        *parents, key = path.replace("__", ".").split(".")
        node = result
        for parent in parents:
            node = node[parent]
        if value is ...:
            del node[key]
        else:
            node[key] = value
    return result


def problems(config: dict[str, Any], granted: list[str] | None = None) -> list[str]:
    before = copy.deepcopy(config)
    with pytest.raises(InputError) as caught:
        check(config, Grants(targets=tuple(granted or ())))
    assert config == before
    return list(caught.value.problems)
