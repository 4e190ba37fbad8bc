"""A setting changes the keys of the stages that depend on it, and no others."""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from planned_keys import (
    BASE,
    BOTH,
    LEARNT,
    NOTHING,
    TEXT,
    TRAINED,
    VISION,
    Keys,
    Lines,
    changed,
    named_keys,
    planned,
    stages_of,
)

from mmclf.config.schema import Composed, Config
from mmclf.config.validate import check

pytest_plugins = ["stage_key_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_at_hand")

ALL, TESTED = "clean view1 text fit decide", "tested decide"

CASES: Mapping[Lines, Mapping[str, str]] = {
    BASE: {
        "seed=2": TEXT,
        # where and how it is computed, kept and told
        "device=cpu": NOTHING,
        "encode.workers=1": NOTHING,
        "encode.batch_size=7": NOTHING,
        "cache=off": NOTHING,
        "trainer.checkpoint_every=2": NOTHING,
        "tracking.uri=sqlite:///a.db tracking.experiment=a tracking.parent=a": NOTHING,
        # of an encoder that is not trained
        "vision.lr=1e-5 text.lr=1e-6": NOTHING,
        # what there is to learn from
        "data.seed=1": ALL,
        "data.on_bad_image=skip": NOTHING,
        "split.val=0.2": TEXT,
        "split.method=random": TEXT,
        "split.test=0.3 split.test_seed=1": NOTHING,  # the demo has a test set of its own
        # pictures
        "image.size=48": VISION,
        "image.crop=0.5": VISION,
        "vision.name=test_resnet": VISION,
        "encode.precision=bf16": VISION,
        "augment.seed=1": "view1 fit decide",
        "augment.padding=3": "view1 fit decide",
        "augment.horizontal_flip=0.4": "view1 fit decide",
        "augment.vertical_flip=0.0": "view1 fit decide",
        # captions
        "text.max_features=100": TEXT,
        "text.ngram_max=2": TEXT,
        "text.min_df=3": TEXT,
        "text.sublinear_tf=false": TEXT,
        "data.caption_order=shuffled": TEXT,
        # training
        "fusion=sum": LEARNT,
        "fusion.normalise=true": LEARNT,
        "head.hidden=null": LEARNT,
        "head.dropout=0.1": LEARNT,
        "head.input_dropout=0.1": LEARNT,
        "loss=focal": LEARNT,
        "optimizer=adamw": LEARNT,
        "optimizer.lr=2e-3": LEARNT,
        "+optimizer.weight_decay=0.1": LEARNT,
        "scheduler=cosine": LEARNT,
        "trainer.epochs=11": LEARNT,
        "trainer.batch_size=32": LEARNT,
        "trainer.accumulate=2": LEARNT,
        "trainer.clip_norm=1.0": LEARNT,
        "trainer.patience=2": LEARNT,
        "trainer.precision=bf16": LEARNT,
        "trainer.refit=true": LEARNT,
        "trainer.monitor=val/map": LEARNT,
        # deciding
        "threshold.value=0.4": "decide",
        "threshold=global_f1": "decide",
        "threshold=per_label_f1": "decide",
        "threshold.empty=empty": LEARNT,  # it counts in the score that chooses the epoch
    },
    (*BASE, "trainer.monitor=val/map"): {"threshold.empty=empty": "decide"},
    (*BASE, "trainer.monitor=val/loss"): {"threshold.empty=empty": "decide"},
    (*BASE, "threshold=global_f1"): {"threshold.average=macro": "decide"},
    (*BASE, "loss=weighted_bce"): {"loss.form=sqrt": LEARNT, "loss.max_weight=null": LEARNT},
    # What is evaluated once more hangs on the fit, and nothing else hangs on it but the decision.
    (*BASE, "at_test.text=shuffled"): {
        "at_test.text=dropped": TESTED,
        "at_test.vision=shuffled": TESTED,
        "at_test.vision=dropped": TESTED,
        "seed=2": f"text fit {TESTED}",
        "loss=focal": f"fit {TESTED}",
        "image.size=48": f"clean view1 fit {TESTED}",
        "threshold.value=0.4": "decide",
        "device=cpu encode.batch_size=7": NOTHING,
    },
    (*TRAINED, "at_test.text=dropped"): {
        "at_test.text=shuffled": TESTED,
        "at_test.vision=shuffled": TESTED,
        "vision.lr=1e-5": f"fit {TESTED}",
    },
    # Without further views, what they would look like is nothing.
    (*BASE, "augment.views=1"): {
        "augment.seed=1 augment.padding=3 augment.vertical_flip=0.0": NOTHING
    },
    # A tokenizer is made of the training captions, unless one is given.
    BOTH: {
        "seed=2": TEXT,
        "split.val=0.2": TEXT,
        "encode.batch_size=7": NOTHING,
        "encode.precision=bf16": ALL,
        "text.pooling=cls": TEXT,
        "text.max_length=16": TEXT,
        "text.architecture.hidden_size=32": TEXT,
        "image.size=48": VISION,
    },
    (*BOTH, "text.tokenizer=TOKENIZER"): {"seed=2": LEARNT, "split.val=0.2": LEARNT},
    TRAINED: {
        "seed=2": LEARNT,
        "vision.lr=1e-5": LEARNT,
        "text.lr=1e-5": LEARNT,
        "image.size=48": LEARNT,
        "vision.name=test_resnet": LEARNT,
        "text.pooling=cls": LEARNT,
        "augment.views=1": LEARNT,
        "augment.views=3": NOTHING,  # each picture is augmented anew, however many views
        "augment.padding=3": LEARNT,
        "augment.seed=1 encode.precision=bf16 encode.batch_size=7": NOTHING,
        "trainer.checkpoint_every=null": NOTHING,
        "threshold.value=0.4": "decide",
    },
    (*TRAINED, "augment.views=1"): {"augment.padding=3 augment.vertical_flip=0.0": NOTHING},
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "tokenizer.json").write_text("{}")
    return folder


def with_settings(composed: Callable[..., Composed], base: Lines, lines: Lines) -> Config:
    """A run with further settings, composed anew only where levels or other settings depend."""
    settings = OverridesParser.create().parse_overrides([*lines])
    if any(
        "." not in setting.key_or_group or setting.key_or_group == "data.seed"
        for setting in settings
    ):
        return composed(*base, *lines).config
    tree = copy.deepcopy(composed(*base).tree)
    for setting in settings:
        *sections, name = setting.key_or_group.split(".")
        functools.reduce(operator.getitem, sections, tree)[name] = setting.value()
    return check(tree)


@pytest.mark.parametrize(
    ("base", "lines", "expected"),
    [
        pytest.param(base, lines, expected, id=f"{number} {lines}")
        for number, (base, cases) in enumerate(CASES.items())
        for lines, expected in cases.items()
    ],
)
def test_a_setting_changes_the_keys_of_what_depends_on_it(
    keys_of: Callable[..., Keys],
    composed: Callable[..., Composed],
    tokenizer: Path,
    base: Lines,
    lines: str,
    expected: str,
) -> None:
    base = tuple(word.replace("TOKENIZER", str(tokenizer)) for word in base)
    actual = named_keys(stages_of(with_settings(composed, base, tuple(lines.split()))))
    assert changed(keys_of(*base), actual) == set(expected.split())


@pytest.mark.parametrize("setting", ["output_dir", "store.dir", "store.remote"])
def test_another_folder_changes_nothing(
    keys_of: Callable[..., Keys], conf: Path, outputs: Path, tmp_path: Path, setting: str
) -> None:
    scheme = "file://" if setting == "store.remote" else ""
    there = {"output_dir": outputs, setting: f"{scheme}{tmp_path}"}
    lines = [f"{key}={place}" for key, place in there.items()]
    assert planned(conf, *lines, *BASE) == keys_of(*BASE)


def test_the_seed_counts_in_the_fit_though_no_split_is_drawn_by_it(
    conf: Path, tmp_path: Path
) -> None:
    parts = ["train"] * 6 + ["val"] * 3 + ["test"] * 3
    rows = [f"words {i},{'a b' if i % 2 else 'a'},{part}" for i, part in enumerate(parts)]
    (tmp_path / "table.csv").write_text("\n".join(["caption,labels,split", *rows]) + "\n")
    table = ("data=table", f"data.root={tmp_path}", "data.file=table.csv")
    columns = ("data.image_column=null", "data.split_column=split")
    lines = (f"output_dir={tmp_path}", *table, *columns)
    before = planned(conf, *lines)
    assert changed(before, planned(conf, *lines, "seed=1")) == {"fit", "decide"}
