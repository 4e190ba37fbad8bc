"""The keys of a run's stages change if and only if something changes that they depend on."""

from __future__ import annotations

import functools
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmclf import compose
from mmclf.config.own_modules import OwnModules
from mmclf.data import decoded
from mmclf.data.demo.generate import make
from mmclf.errors import InputError
from mmclf.keys import precision_name
from mmclf.material import gather, opened_store
from mmclf.models.identity import Identity
from mmclf.planning import Plan, Planner
from mmclf.store.digests import digest

Keys = dict[str, str]
Lines = tuple[str, ...]

# Each stage's key by a word: `clean` and `view1`, ... are those of the pictures' features.
ENCODED = "clean view1"
LEARNT = "fit decide"
ALL = f"{ENCODED} text {LEARNT}"

DEMO = ("data.train=60", "data.test=20")
PICTURES = (
    "image.size=32",
    "vision=timm",
    "vision.name=test_efficientnet",
    "vision.weights=random",
)
VIEWS = ("augment=crop_flip", "augment.views=2", "augment.padding=4")
BASE = (*PICTURES, *VIEWS, "encode.precision=fp32")
NEURAL = (
    "encode.precision=fp32",
    "text=huggingface",
    "text.name=nobody/tiny",
    "text.weights=random",
    "text.architecture={model_type: bert, hidden_size: 16}",
)
BOTH = (*BASE, *NEURAL[1:])


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
def keys_of(outputs: Path) -> Callable[..., Keys]:
    """Gives the keys of a run on the demo, each run planned once."""
    return functools.cache(lambda *lines: planned(f"output_dir={outputs}", *DEMO, *lines))


def plan_of(*lines: str, config_dir: Path | None = None) -> Plan:
    config = compose(lines, config_dir=config_dir).config
    with opened_store(config, "a CPU") as (store, sums):
        found = Planner(config, gather(config, store, sums), sums, "a CPU").plan()
    assert found is not None
    return found


def planned(*lines: str, config_dir: Path | None = None) -> Keys:
    plan = plan_of(*lines, config_dir=config_dir)
    keys = {"fit": plan.fit.key, "decide": plan.decide.key}
    for modality, stages in plan.features.items():
        for view, stage in enumerate(stages):
            name = "text" if modality == "text" else f"view{view}" if view > 0 else "clean"
            keys[name] = stage.key
    return keys


def changed(before: Keys, after: Keys) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, key in before.items() if after[name] != key}


# Of settings


CASES: Mapping[Lines, Mapping[str, str]] = {
    BASE: {
        "seed=1": f"text {LEARNT}",
        # where and how it is computed and kept
        "device=cpu": "",
        "encode.workers=1": "",
        "encode.batch_size=7": "",
        "cache=off": "",
        "tracking.uri=sqlite:///elsewhere.db": "",
        "tracking.experiment=other": "",
        "tracking.parent=abc": "",
        "data.on_bad_image=skip": "",
        "vision.lr=1e-5": "",
        "text.lr=1e-6": "",
        # what there is to learn from
        "data.seed=1": ALL,
        "split.val=0.2": f"text {LEARNT}",
        "split.method=random": f"text {LEARNT}",
        "split.test=0.3": "",  # the demo has a test set of its own
        "split.test_seed=1": "",
        # pictures
        "image.size=48": f"{ENCODED} {LEARNT}",
        "image.crop=0.5": f"{ENCODED} {LEARNT}",
        "vision.name=test_resnet": f"{ENCODED} {LEARNT}",
        "encode.precision=bf16": f"{ENCODED} {LEARNT}",
        "augment.seed=1": f"view1 {LEARNT}",
        "augment.padding=3": f"view1 {LEARNT}",
        "augment.horizontal_flip=0.4": f"view1 {LEARNT}",
        "augment.vertical_flip=0.0": f"view1 {LEARNT}",
        # captions
        "text.max_features=100": f"text {LEARNT}",
        "text.ngram_max=2": f"text {LEARNT}",
        "text.min_df=3": f"text {LEARNT}",
        "text.sublinear_tf=false": f"text {LEARNT}",
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
    # Without views, what they would look like is nothing.
    (*BASE, "augment.views=1"): {
        "augment.seed=1": "",
        "augment.padding=3": "",
        "augment.vertical_flip=0.0": "",
    },
    # A tokenizer that is made of the training captions.
    BOTH: {
        "seed=1": f"text {LEARNT}",
        "split.val=0.2": f"text {LEARNT}",
        "encode.batch_size=7": "",
        "encode.precision=bf16": ALL,
        "text.pooling=cls": f"text {LEARNT}",
        "text.max_length=16": f"text {LEARNT}",
        "text.architecture.hidden_size=32": f"text {LEARNT}",
        "image.size=48": f"{ENCODED} {LEARNT}",
    },
    # One that is at hand; that of the package is not, where the package is not installed.
    (*BOTH, "+text.tokenizer=TOKENIZER"): {
        "seed=1": LEARNT,
        "split.val=0.2": LEARNT,
        "data.seed=1": ALL,
    },
    # Encoders that are trained.
    (*BOTH, "vision.trainable=true", "text.trainable=true"): {
        "seed=1": LEARNT,
        "vision.lr=1e-5": LEARNT,
        "text.lr=1e-5": LEARNT,
        "image.size=48": LEARNT,
        "vision.name=test_resnet": LEARNT,
        "text.pooling=cls": LEARNT,
        "augment.views=1": LEARNT,
        "augment.views=3": "",  # each picture is augmented anew, however many views
        "augment.padding=3": LEARNT,
        "augment.seed=1": "",
        "encode.precision=bf16": "",
        "encode.batch_size=7": "",
        "threshold.value=0.4": "decide",
    },
    (*BOTH, "augment.views=1", "vision.trainable=true"): {
        "augment.padding=3": "",
        "encode.precision=bf16": f"text {LEARNT}",
    },
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("base", "line", "expected"),
    [
        pytest.param(base, line, expected, id=f"{number} {line}")
        for number, (base, cases) in enumerate(CASES.items())
        for line, expected in cases.items()
    ],
)
def test_a_setting_changes_the_keys_of_what_depends_on_it(
    keys_of: Callable[..., Keys], tokenizer: Path, base: Lines, line: str, expected: str
) -> None:
    base = tuple(word.replace("TOKENIZER", str(tokenizer)) for word in base)
    assert changed(keys_of(*base), keys_of(*base, line)) == set(expected.split())


@pytest.mark.parametrize("setting", ["output_dir", "store.dir"])
def test_another_folder_changes_nothing(
    keys_of: Callable[..., Keys], outputs: Path, tmp_path: Path, setting: str
) -> None:
    lines = (f"output_dir={outputs}", *DEMO, *BASE, f"{setting}={tmp_path}")
    assert planned(*lines) == keys_of(*BASE)


def test_further_views_are_further_keys(keys_of: Callable[..., Keys]) -> None:
    one, three = (keys_of(*BASE, f"augment.views={count}") for count in (1, 3))
    assert three.keys() - one.keys() == {"view1", "view2"}
    same = {name for name, key in one.items() if three[name] == key}
    assert same == {"clean", "text"}
    assert three["view1"] == keys_of(*BASE)["view1"]
    assert len(set(three.values())) == 6


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


def test_the_plan_says_in_which_precision_frozen_encoders_compute(outputs: Path) -> None:
    lines = (f"output_dir={outputs}", *DEMO, *BOTH, "encode.precision=bf16")
    assert plan_of(*lines).precisions == {"vision": "bf16", "text": "bf16"}
    tfidf = (f"output_dir={outputs}", *DEMO, *BASE, "encode.precision=bf16")
    assert plan_of(*tfidf).precisions == {"vision": "bf16", "text": "fp32"}
    assert plan_of(*lines, "vision.trainable=true").precisions == {"text": "bf16"}


def test_a_measured_precision_is_as_good_as_a_given_one(
    keys_of: Callable[..., Keys], outputs: Path, tmp_path: Path
) -> None:
    lines = [f"output_dir={outputs}", *DEMO, *BASE, "text=none", "encode.precision=auto"]
    config = compose([*lines, f"store.dir={tmp_path}"]).config
    with opened_store(config, "a CPU") as (store, sums):
        planner = Planner(config, gather(config, store, sums), sums, "a CPU")
        assert planner.plan() is None
        name = planner.precision_name("vision")
        planner.precisions.add({name: {"bf16": True}, name.replace("a CPU", "a GPU"): {}})
        found = planner.plan()
    assert found is not None
    given = keys_of(*BASE, "text=none", "encode.precision=bf16")
    assert found.decide.key == given["decide"]


@pytest.mark.parametrize(("size", "told"), [(None, ""), (64, ", 64 px")])
def test_a_precision_is_remembered_by_encoder_hardware_and_torch(
    size: int | None, told: str
) -> None:
    identity = Identity({"name": "e"})
    release = ".".join(torch.__version__.split(".")[:2])
    expected = f"{digest({'name': 'e'})}{told} on 2 x CPU, torch {release}"
    assert precision_name(identity, size, "2 x CPU") == expected


# Of files


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("scenes") / "demo", seed=0, train=60, test=20)


@pytest.fixture
def data(scenes: Path, tmp_path: Path) -> Path:
    """A data set in the competition's layout that may be changed."""
    return shutil.copytree(scenes, tmp_path / "data")


def of_files(data: Path, *lines: str) -> Keys:
    own = ("data=competition", f"data.root={data}", f"output_dir={data.parent / 'outputs'}")
    return planned(*own, *BASE, "split.method=random", *lines)


def other_picture(data: Path, number: int) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 10, 10)).save(stream, "JPEG")
    (data / "data" / f"{number}.jpg").write_bytes(stream.getvalue())


def touched(data: Path) -> None:
    for path in data.rglob("*.jpg"):
        os.utime(path)


def rewritten(data: Path) -> None:
    path = data / "data" / "3.jpg"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def other_row(data: Path, file: str, column: int, text: str) -> None:
    """Replace a column of a file's second row: ImageID,Labels,Caption."""
    rows = (data / file).read_text().splitlines()
    cells = rows[2].split(",", 2)
    assert cells[column] != text
    cells[column] = text
    rows[2] = ",".join(cells)
    (data / file).write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(touched, "", id="touched"),
        pytest.param(rewritten, "", id="rewritten"),
        pytest.param(lambda data: other_picture(data, 3), f"{ENCODED} {LEARNT}", id="a picture"),
        pytest.param(
            lambda data: other_picture(data, 25_003), f"{ENCODED} {LEARNT}", id="a test picture"
        ),
        pytest.param(
            lambda data: other_row(data, "train.csv", 2, '"new words"'),
            f"text {LEARNT}",
            id="a caption",
        ),
        pytest.param(
            lambda data: other_row(data, "test.csv", 2, '"new words"'),
            f"text {LEARNT}",
            id="a test caption",
        ),
        pytest.param(
            lambda data: other_row(data, "train.csv", 1, "1 2 3 4"), LEARNT, id="a label"
        ),
        pytest.param(
            lambda data: other_row(data, "test.csv", 1, "1 2 3 4"), LEARNT, id="a test label"
        ),
    ],
)
def test_a_changed_file_changes_the_keys_of_what_depends_on_it(
    data: Path, change: Callable[[Path], None], expected: str
) -> None:
    before = of_files(data)
    change(data)
    assert changed(before, of_files(data)) == set(expected.split())


def test_the_place_of_the_data_changes_nothing(data: Path) -> None:
    before = of_files(data)
    data.rename(data.with_name("moved"))
    assert of_files(data.with_name("moved")) == before


@pytest.mark.xfail(reason="the features of a picture that could not be read are kept for good")
def test_a_picture_that_could_not_be_read_for_a_while_is_encoded_once_it_can(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = decoded.read_image

    def failing(path: Path, *settings: object) -> object:
        if path.name == "3.jpg":
            raise InputError("out of reach: replace the file")
        return real(path, *settings)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(decoded, "read_image", failing)
        without = of_files(data, "data.on_bad_image=skip")
    assert "clean" in changed(without, of_files(data, "data.on_bad_image=skip"))


def test_weights_count_by_their_content(
    keys_of: Callable[..., Keys], outputs: Path, tmp_path: Path
) -> None:
    one, copy = tmp_path / "one.pth", tmp_path / "copy.bin"
    for path in (one, copy):
        path.write_bytes(b"weights")

    def found(path: Path) -> Keys:
        return planned(f"output_dir={outputs}", *DEMO, *BASE, f"vision.weights={path}")

    before = found(one)
    assert found(copy) == before
    os.utime(one, (1, 1))
    assert found(one) == before
    one.write_bytes(b"Weights")
    assert changed(before, found(one)) == {"clean", "view1", "fit", "decide"}
    assert changed(before, keys_of(*BASE)) == {"clean", "view1", "fit", "decide"}


def test_a_text_models_folder_counts_by_its_content(outputs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text(name)
    copy = shutil.copytree(folder, tmp_path / "copy")

    def found(place: Path) -> Keys:
        weights = ("text.architecture=null", f"text.weights={place}")
        return planned(f"output_dir={outputs}", *DEMO, *NEURAL, *weights)

    before = found(folder)
    assert found(copy) == before
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text("other")
        assert changed(before, found(folder)) == {"text", "fit", "decide"}
        (folder / name).write_text(name)
    assert found(folder) == before


# Of parts of one's own


PARTS = '''
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
'''
OWN = ("allow_targets=[key_parts]",)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own levels and module, which other tests do not see."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, OwnModules)]
    monkeypatch.setattr(sys, "meta_path", others)
    for name in ("key_parts", "key_helpers", "key_helpers.inner"):
        monkeypatch.setitem(sys.modules, name, sys)  # so that it is forgotten afterwards
        monkeypatch.delitem(sys.modules, name)
    folder = tmp_path / "conf"
    for level, target in (
        ("vision/pool", "Pool\ntable: null"),
        ("text/lengths", "Lengths"),
        ("loss/brier", "Brier"),
    ):
        path = folder / f"{level}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(f"_target_: key_parts.{target}\n")
    (folder / "key_parts.py").write_text(PARTS)
    return folder


def of_own(own: Path, outputs: Path, *lines: str) -> Keys:
    return planned(f"output_dir={outputs}", *DEMO, *BASE, *lines, config_dir=own)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss=bce", ""),
        ("loss=brier", LEARNT),
        ("text=lengths", f"text {LEARNT}"),
        ("vision=pool", f"{ENCODED} {LEARNT}"),
    ],
)
def test_ones_own_source_counts_where_it_is_used(
    own: Path, outputs: Path, line: str, expected: str
) -> None:
    level = (line,) if line != "vision=pool" else (line, "~vision.name", "~vision.weights")
    lines = tuple(word for word in BASE if line != "vision=pool" or word not in PICTURES[1:])

    def found() -> Keys:
        size = (f"output_dir={outputs}", *DEMO, *lines)
        return planned(*size, *level[:1], *OWN, config_dir=own)

    before = found()
    os.utime(own / "key_parts.py")
    assert found() == before
    (own / "key_parts.py").write_text(f"{PARTS}\n# and words\n")
    assert changed(before, found()) == set(expected.split())
    (own / "key_parts.py").write_text(PARTS)
    assert found() == before


def test_a_module_beside_ones_own_counts_too(own: Path, outputs: Path) -> None:
    before = of_own(own, outputs, "loss=brier", *OWN)
    (own / "beside.py").write_text("FACTOR = 2\n")
    assert changed(before, of_own(own, outputs, "loss=brier", *OWN)) == {"fit", "decide"}


def test_a_grant_that_is_not_used_changes_nothing(
    own: Path, outputs: Path, keys_of: Callable[..., Keys]
) -> None:
    assert of_own(own, outputs, *OWN) == keys_of(*BASE)


@pytest.mark.xfail(reason="of the granted modules only those count that a target names")
def test_a_granted_package_that_ones_own_part_imports_counts_too(own: Path, outputs: Path) -> None:
    (own / "key_helpers").mkdir()
    (own / "key_helpers" / "__init__.py").write_text("")
    (own / "key_helpers" / "inner.py").write_text("FACTOR = 1\n")
    source = f"from key_helpers.inner import FACTOR\n{PARTS}"
    (own / "key_parts.py").write_text(source)
    lines = ("loss=brier", "allow_targets=[key_parts,key_helpers]")
    before = of_own(own, outputs, *lines)
    (own / "key_helpers" / "inner.py").write_text("FACTOR = 2\n")
    assert changed(before, of_own(own, outputs, *lines)) == {"fit", "decide"}


def test_a_file_that_ones_own_part_is_given_counts_by_its_content(
    own: Path, outputs: Path, tmp_path: Path
) -> None:
    one, copy = tmp_path / "one.csv", tmp_path / "copy.csv"
    for path in (one, copy):
        path.write_text("1,2")
    base = tuple(word for word in BASE if word not in PICTURES[1:])

    def found(path: Path) -> Keys:
        lines = ("vision=pool", f"vision.table={path}", *OWN)
        return planned(f"output_dir={outputs}", *DEMO, *base, *lines, config_dir=own)

    before = found(one)
    assert found(copy) == before
    one.write_text("1,3")
    assert changed(before, found(one)) == {"clean", "view1", "fit", "decide"}


def test_the_features_left_out_are_the_own_test_samples_of_the_source(
    data: Path, keys_of: Callable[..., Keys]
) -> None:
    """The same samples, once with a test set of the source's own and once with all to be split."""
    with_test = of_files(data)
    rows = (data / "test.csv").read_text().splitlines()[1:]
    train = (data / "train.csv").read_text().rstrip("\n")
    (data / "train.csv").write_text("\n".join([train, *rows]) + "\n")
    (data / "test.csv").unlink()
    without = of_files(data)
    assert np.array_equal(changed(with_test, without), {"view1", "text", "fit", "decide"})
