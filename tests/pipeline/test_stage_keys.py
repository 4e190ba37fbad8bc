"""The keys of a run's stages change if and only if something changes that they depend on."""

from __future__ import annotations

import copy
import functools
import io
import operator
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from PIL import Image

from mmclf import compose
from mmclf.config.schema import Composed, Config
from mmclf.config.targets import build
from mmclf.config.user_modules import UserModules
from mmclf.config.validate import check
from mmclf.data.images import DecodedImage, decode_image
from mmclf.data.sources.demo import generate
from mmclf.errors import InputError
from mmclf.models.identity import Identity
from mmclf.models.source_code import code_digest
from mmclf.pipeline.run_data import load_run_data, open_store
from mmclf.pipeline.stages import RunStages, StageResolver, precision_name
from mmclf.storage.store.hashing import digest
from mmclf.storage.store.store import Store

# Of each stage by a word: `clean` and `view1`, `view2`, ... are those of the pictures' features.
Keys = dict[str, str]
Lines = tuple[str, ...]

# Levels of one's own, as fewer overrides are composed sooner.
LEVELS = {
    "data/small": """
_target_: mmclf.data.sources.demo.load
root: ${store.dir}/demo/${data.seed}
seed: 0
train: 60
test: 20
""",
    "vision/small": """
_target_: mmclf.models.vision.TimmEncoder
name: test_efficientnet
weights: random
package: null
""",
    "text/small": """
_target_: mmclf.models.text.HuggingFaceEncoder
name: nobody/small
weights: random
pooling: mean
max_length: 64
architecture: {model_type: bert, hidden_size: 16}
tokenizer: null
package: null
""",
    "experiment/small": """
# @package _global_
defaults:
  - override /data: small
  - override /augment: crop_flip
seed: 1
image: {size: 32}
augment: {views: 2, padding: 4}
encode: {precision: fp32}
""",
}
BASE = ("experiment=small", "vision=small")
BOTH = (*BASE, "text=small")
TRAINED = (*BOTH, "vision.trainable=true", "text.trainable=true")

VISION, LEARNT = "clean view1 fit decide", "fit decide"
TEXT, ALL = "text fit decide", "clean view1 text fit decide"
TESTED, NOTHING = "tested decide", ""

CASES: Mapping[Lines, Mapping[str, str]] = {
    BASE: {
        "seed=2": TEXT,
        # where and how it is computed, kept and told
        "device=cpu": NOTHING,
        "encode.workers=1": NOTHING,
        "encode.batch_size=7": NOTHING,
        "cache=off": NOTHING,
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
    # What is judged once more hangs on the fit, and nothing else hangs on it but the decision.
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
        "threshold.value=0.4": "decide",
    },
    (*TRAINED, "augment.views=1"): {"augment.padding=3 augment.vertical_flip=0.0": NOTHING},
}


def write_levels(folder: Path, levels: Mapping[str, str] = LEVELS) -> Path:
    for name, text in levels.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return folder


@pytest.fixture(scope="module", autouse=True)
def nothing_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        empty = str(tmp_path_factory.mktemp("hub"))
        patched.setattr("huggingface_hub.constants.HF_HUB_CACHE", empty)
        yield


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_levels(tmp_path_factory.mktemp("levels"))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def composed(outputs: Path, conf: Path) -> Callable[..., Composed]:
    """Composes a run, each once."""
    return functools.cache(
        lambda *lines: compose([f"output_dir={outputs}", *lines], config_dir=conf)
    )


@pytest.fixture(scope="module")
def keys_of(composed: Callable[..., Composed]) -> Callable[..., Keys]:
    """Gives the keys of a run."""
    return functools.cache(lambda *lines: named_keys(stages_of(composed(*lines).config)))


def with_settings(composed: Callable[..., Composed], base: Lines, lines: Lines) -> Config:
    """A run with further settings, composed anew only where levels or other settings depend."""
    settings = OverridesParser.create().parse_overrides([*lines])
    if any("." not in one.key_or_group or one.key_or_group == "data.seed" for one in settings):
        return composed(*base, *lines).config
    tree = copy.deepcopy(composed(*base).tree)
    for one in settings:
        *sections, name = one.key_or_group.split(".")
        functools.reduce(operator.getitem, sections, tree)[name] = one.value()
    return check(tree)


def resolver_of(config: Config, store: Store) -> StageResolver:
    data, empty = load_run_data(config, store), build(config.threshold, "threshold").empty
    return StageResolver(config, data, empty, store.hasher, "a CPU")


def stages_of(config: Config) -> RunStages:
    with open_store(config, "a CPU") as store:
        stages = resolver_of(config, store).resolve()
    assert stages is not None
    return stages


def named_keys(run: RunStages) -> Keys:
    keys = {"fit": run.fit.key, "decide": run.decide.key}
    keys |= {"tested": run.tested.key} if run.tested is not None else {}
    for modality, stages in run.features.items():
        for view, stage in enumerate(stages):
            name = "text" if modality == "text" else f"view{view}" if view > 0 else "clean"
            keys[name] = stage.key
    return keys


def planned(conf: Path, *lines: str) -> Keys:
    return named_keys(stages_of(compose(lines, config_dir=conf).config))


def changed(before: Keys, after: Keys) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, key in before.items() if after[name] != key}


# Of settings


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
    found = named_keys(stages_of(with_settings(composed, base, tuple(lines.split()))))
    assert changed(keys_of(*base), found) == set(expected.split())


@pytest.mark.parametrize("setting", ["output_dir", "store.dir"])
def test_another_folder_changes_nothing(
    keys_of: Callable[..., Keys], conf: Path, outputs: Path, tmp_path: Path, setting: str
) -> None:
    there = {"output_dir": outputs, setting: tmp_path}
    lines = [f"{key}={place}" for key, place in there.items()]
    assert planned(conf, *lines, *BASE) == keys_of(*BASE)


def test_further_views_are_further_keys(keys_of: Callable[..., Keys]) -> None:
    one, three = (keys_of(*BASE, f"augment.views={count}") for count in (1, 3))
    assert three.keys() - one.keys() == {"view1", "view2"}
    assert {name for name, key in one.items() if three[name] == key} == {"clean", "text"}
    assert three["view1"] == keys_of(*BASE)["view1"]
    assert len({*one.values(), *three.values()}) == 8


def test_a_modality_that_is_left_out_changes_the_fit_alone(keys_of: Callable[..., Keys]) -> None:
    both, pictures = keys_of(*BASE), keys_of(*BASE, "text=none")
    assert both.keys() - pictures.keys() == {"text"}
    assert {name for name, key in pictures.items() if both[name] != key} == {"fit", "decide"}


def test_an_encoder_that_is_trained_leaves_the_others_features(
    keys_of: Callable[..., Keys],
) -> None:
    frozen, trained = keys_of(*BOTH), keys_of(*BOTH, "vision.trainable=true")
    assert trained.keys() == {"text", "fit", "decide"}
    assert trained["text"] == frozen["text"]
    assert {trained["fit"], trained["decide"]}.isdisjoint(frozen.values())


@pytest.mark.parametrize("base", [BASE, TRAINED])
@pytest.mark.parametrize("how", ["dropped", "shuffled"])
def test_another_test_leaves_the_fit_and_what_comes_before_it(
    keys_of: Callable[..., Keys], base: Lines, how: str
) -> None:
    plain, tested = keys_of(*base), keys_of(*base, f"at_test.vision={how}")
    assert tested.keys() - plain.keys() == {"tested"}
    assert {name for name, key in plain.items() if tested[name] != key} == {"decide"}


def test_a_run_without_another_test_has_no_word_of_it(composed: Callable[..., Composed]) -> None:
    plan = stages_of(composed(*BASE).config)
    assert plan.tested is None
    expected_names = {"fit", "threshold", "evaluation", "label_names", "scikit-learn"}
    assert plan.decide.arguments.keys() == expected_names
    assert not any("test" in name for name in plan.fit.arguments)


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("mmclf.evaluation.evaluate", {"decide"}),
        ("mmclf.models.classifier", {"fit", "decide"}),
    ],
)
def test_edited_code_counts_where_it_computes(
    composed: Callable[..., Composed],
    monkeypatch: pytest.MonkeyPatch,
    edited: str,
    changed: set[str],
) -> None:
    config = composed(*BASE).config
    before = named_keys(stages_of(config))
    monkeypatch.setattr(
        "mmclf.pipeline.stages.code_digest",
        lambda module: "edited" if module == edited else code_digest(module),
    )
    after = named_keys(stages_of(config))
    assert {name for name, key in before.items() if after[name] != key} == changed


def test_the_seed_counts_in_what_is_shuffled_alone(composed: Callable[..., Composed]) -> None:
    seeds = {}
    for how in ("dropped", "shuffled"):
        stage = stages_of(composed(*BASE, f"at_test.text={how}").config).tested
        assert stage is not None
        seeds[how] = stage.arguments["seed"]
    assert seeds == {"dropped": None, "shuffled": 1}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (BOTH, {"vision": "bf16", "text": "bf16"}),
        ((*BOTH, "vision.trainable=true"), {"text": "bf16"}),
        (BASE, {"vision": "bf16", "text": "fp32"}),  # TF-IDF has one precision
    ],
)
def test_the_plan_says_in_which_precision_frozen_encoders_compute(
    composed: Callable[..., Composed], lines: Lines, expected: dict[str, str]
) -> None:
    stages = stages_of(composed(*lines, "encode.precision=bf16").config)
    assert stages.precisions == expected


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_measured_precision_is_as_good_as_a_given_one(
    keys_of: Callable[..., Keys],
    conf: Path,
    outputs: Path,
    tmp_path: Path,
    bf16: bool,
    precision: str,
) -> None:
    lines = [f"output_dir={outputs}", f"store.dir={tmp_path}", *BASE, "encode.precision=auto"]
    config = compose(lines, config_dir=conf).config
    with open_store(config, "a CPU") as store:
        resolver = resolver_of(config, store)
        assert resolver.resolve() is None
        name = resolver.precision_name("vision")
        elsewhere = name.replace("a CPU", "a GPU")
        resolver.precisions.get_or_compute(elsewhere, lambda: {"bf16": not bf16})
        assert resolver.resolve() is None
        resolver.precisions.get_or_compute(name, lambda: {"bf16": bf16})
        found = resolver.resolve()
    assert found is not None
    assert found.decide.key == keys_of(*BASE, f"encode.precision={precision}")["decide"]


@pytest.mark.parametrize(("size", "suffix"), [(None, ""), (64, ", 64 px")])
def test_a_precision_is_remembered_by_encoder_hardware_and_torch(
    size: int | None, suffix: str
) -> None:
    identity = Identity({"name": "e"})
    release = ".".join(torch.__version__.split(".")[:2])
    expected = f"{digest({'name': 'e'})}{suffix} on 2 x CPU, torch {release}"
    assert precision_name(identity, size, "2 x CPU") == expected


# Of files


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("scenes") / "demo", seed=0, train=60, test=20)


@pytest.fixture
def data(scenes: Path, tmp_path: Path) -> Path:
    """A data set in the competition's layout that may be changed."""
    return shutil.copytree(scenes, tmp_path / "data")


def of_files(conf: Path, data: Path, *lines: str) -> Keys:
    own = ("data=competition", f"data.root={data}", f"output_dir={data.parent / 'outputs'}")
    # A split that does not look at the labels, so that it is not what changes with one.
    return planned(conf, *own, *BASE, "split.method=random", *lines)


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


def other_picture(data: Path, name: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 10, 10)).save(stream, "JPEG")
    assert (data / "data" / name).is_file()
    (data / "data" / name).write_bytes(stream.getvalue())


def touched(data: Path) -> None:
    for path in data.rglob("*.jpg"):
        os.utime(path)


def rewritten(data: Path) -> None:
    path = data / "data" / "3.jpg"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def other_row(data: Path, file: str, column: int, text: str) -> None:
    """Replace a column, of ImageID,Labels,Caption, in the second sample's row."""
    rows = (data / file).read_text().splitlines()
    cells = rows[2].split(",", 2)
    assert cells[column] != text
    cells[column] = text
    rows[2] = ",".join(cells)
    (data / file).write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(touched, NOTHING, id="touched"),
        pytest.param(rewritten, NOTHING, id="rewritten"),
        pytest.param(lambda data: other_picture(data, "3.jpg"), VISION, id="picture"),
        pytest.param(lambda data: other_picture(data, "25003.jpg"), VISION, id="test picture"),
        pytest.param(lambda data: other_row(data, "train.csv", 2, '"new"'), TEXT, id="caption"),
        pytest.param(lambda data: other_row(data, "test.csv", 2, '"new"'), TEXT, id="test caption"),
        pytest.param(lambda data: other_row(data, "train.csv", 1, "1 2 3"), LEARNT, id="label"),
        pytest.param(lambda data: other_row(data, "test.csv", 1, "1 2 3"), LEARNT, id="test label"),
    ],
)
def test_a_changed_file_changes_the_keys_of_what_depends_on_it(
    conf: Path, data: Path, change: Callable[[Path], None], expected: str
) -> None:
    before = of_files(conf, data)
    change(data)
    assert changed(before, of_files(conf, data)) == set(expected.split())


def test_the_place_of_the_data_changes_nothing(conf: Path, data: Path) -> None:
    before = of_files(conf, data)
    data.rename(data.with_name("moved"))
    assert of_files(conf, data.with_name("moved")) == before


def test_a_test_set_of_the_sources_own_is_left_out_of_the_views(conf: Path, data: Path) -> None:
    before = of_files(conf, data)
    rows = (data / "test.csv").read_text().splitlines()[1:]
    train = (data / "train.csv").read_text().rstrip("\n")
    (data / "train.csv").write_text("\n".join([train, *rows]) + "\n")
    (data / "test.csv").unlink()
    after = of_files(conf, data)
    assert changed(before, after) == {"view1", "text", "fit", "decide"}


def test_a_picture_that_could_not_be_read_for_a_while_is_encoded_once_it_can(
    conf: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path, size: int, crop: float | None) -> DecodedImage:
        if path.name == "3.jpg":
            raise InputError("out of reach: replace the file")
        return decode_image(path, size, crop)

    with monkeypatch.context() as patched:
        patched.setattr("mmclf.data.decoded_images.decode_image", failing)
        without = of_files(conf, data, "data.on_bad_image=skip")
    assert "clean" in changed(without, of_files(conf, data, "data.on_bad_image=skip"))


def test_weights_count_by_their_content(
    keys_of: Callable[..., Keys], conf: Path, outputs: Path, tmp_path: Path
) -> None:
    one, copy = tmp_path / "one.pth", tmp_path / "copy.bin"
    for path in (one, copy):
        path.write_bytes(b"weights")

    def found(path: Path) -> Keys:
        return planned(conf, f"output_dir={outputs}", *BASE, f"vision.weights={path}")

    before = found(one)
    assert changed(keys_of(*BASE), before) == {"clean", "view1", "fit", "decide"}
    os.utime(one, (1, 1))
    assert found(one) == found(copy) == before
    one.write_bytes(b"Weights")
    assert changed(before, found(one)) == {"clean", "view1", "fit", "decide"}


def test_a_text_models_folder_counts_by_its_content(
    conf: Path, outputs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text(name)

    def found(place: Path) -> Keys:
        return planned(conf, f"output_dir={outputs}", *BOTH, f"text.weights={place}")

    before = found(folder)
    assert found(shutil.copytree(folder, tmp_path / "copy")) == before
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text("other")
        assert changed(before, found(folder)) == {"text", "fit", "decide"}
        (folder / name).write_text(name)


# Of parts of one's own


PARTS = """
from torch import nn


class Pool(nn.Module):
    out_dim = 3

    def __init__(self, table=None):
        super().__init__()

    def forward(self, pictures):
        return pictures.mean(dim=(2, 3))


class Lengths:
    out_dim = 1

    def fit(self, captions):
        return self

    def transform(self, captions):
        return [[len(text)] for text in captions]


class Brier(nn.Module):
    def forward(self, logits, labels):
        return ((logits.sigmoid() - labels) ** 2).mean()
"""
OWN_LEVELS = {
    "vision/pool": "_target_: key_parts.Pool\ntable: null\n",
    "text/lengths": "_target_: key_parts.Lengths\n",
    "loss/brier": "_target_: key_parts.Brier\n",
}
GRANT = "allow_targets=[key_parts]"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own levels and module, of which other tests know nothing."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, UserModules)]
    monkeypatch.setattr(sys, "meta_path", others)
    for name in ("key_parts", "key_helpers", "key_helpers.inner"):
        monkeypatch.setitem(sys.modules, name, sys)  # so that it is forgotten afterwards
        monkeypatch.delitem(sys.modules, name)
    folder = write_levels(tmp_path / "conf", {**LEVELS, **OWN_LEVELS})
    (folder / "key_parts.py").write_text(PARTS)
    return folder


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (BASE, NOTHING),
        ((*BASE, "loss=brier"), LEARNT),
        ((*BASE, "text=lengths"), TEXT),
        ((*BASE, "vision=pool"), VISION),
    ],
    ids=["none", "loss", "text", "vision"],
)
def test_ones_own_source_counts_where_it_is_used(
    own: Path, outputs: Path, lines: Lines, expected: str
) -> None:
    def found() -> Keys:
        return planned(own, f"output_dir={outputs}", GRANT, *lines)

    before = found()
    os.utime(own / "key_parts.py")
    assert found() == before
    (own / "key_parts.py").write_text(f"{PARTS}\n# and words\n")
    assert changed(before, found()) == set(expected.split())


def test_a_module_beside_ones_own_counts_too(own: Path, outputs: Path) -> None:
    lines = (f"output_dir={outputs}", GRANT, *BASE, "loss=brier")
    before = planned(own, *lines)
    (own / "beside.py").write_text("FACTOR = 2\n")
    assert changed(before, planned(own, *lines)) == {"fit", "decide"}


def test_a_grant_that_is_not_used_changes_nothing(
    own: Path, outputs: Path, keys_of: Callable[..., Keys]
) -> None:
    assert planned(own, f"output_dir={outputs}", GRANT, *BASE) == keys_of(*BASE)


def test_a_granted_package_that_ones_own_part_imports_counts_too(own: Path, outputs: Path) -> None:
    (own / "key_helpers").mkdir()
    (own / "key_helpers" / "__init__.py").write_text("")
    (own / "key_helpers" / "inner.py").write_text("FACTOR = 1\n")
    (own / "key_parts.py").write_text(f"from key_helpers.inner import FACTOR\n{PARTS}")
    grant = "allow_targets=[key_parts,key_helpers]"
    lines = (f"output_dir={outputs}", grant, *BASE, "loss=brier")
    before = planned(own, *lines)
    (own / "key_helpers" / "inner.py").write_text("FACTOR = 2\n")
    assert changed(before, planned(own, *lines)) == {"fit", "decide"}


def test_a_file_that_ones_own_part_is_given_counts_by_its_content(
    own: Path, outputs: Path, tmp_path: Path
) -> None:
    one, copy = tmp_path / "one.csv", tmp_path / "copy.csv"
    for path in (one, copy):
        path.write_text("1,2")

    def found(path: Path) -> Keys:
        lines = (*BASE, "vision=pool", f"vision.table={path}")
        return planned(own, f"output_dir={outputs}", GRANT, *lines)

    before = found(one)
    assert found(copy) == before
    one.write_text("1,3")
    assert changed(before, found(one)) == {"clean", "view1", "fit", "decide"}
