"""A model that claims to be larger than its weights, and one whose files are damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import damaged_bytes, damaged_tree, try_each
from endurance_runs import Scale
from hostile_count import Attempts
from written_models import BERT, TFIDF, TIMM, written

from mmclf.errors import InputError
from mmclf.pipeline.predict.restore import restore

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of TF-IDF and a head."""
    folder, _, _ = written(tmp_path_factory.mktemp("plain"), "vision=none", *TFIDF, "head.hidden=6")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a trained text encoder, and a frozen one with random weights for images."""
    settings = (*TIMM, *BERT, "text.trainable=true")
    folder, _, _ = written(tmp_path_factory.mktemp("trained"), *settings)
    return folder


def changed(folder: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a model with another `model.json`."""
    copy = shutil.copytree(folder, target / "model")
    record = json.loads((copy / "model.json").read_text())
    change(record)
    (copy / "model.json").write_text(json.dumps(record))
    return copy


def test_models_that_claim_what_they_are_are_restored(plain: Path, trained: Path) -> None:
    for folder in (plain, trained):
        assert restore(folder, ()).record.label_names == ["cat", "dog"]


@pytest.mark.parametrize("hidden", [7, 10**6, 10**12, 10**30])
@pytest.mark.hostile("runs of others")
def test_a_head_wider_than_its_weights_is_refused(plain: Path, tmp_path: Path, hidden: int) -> None:
    folder = changed(plain, tmp_path, lambda record: record["head"].update(hidden=hidden))
    with pytest.raises(InputError, match=r"hidden|parameters|make no model"):
        restore(folder, ())


@pytest.mark.parametrize("width", [10**6, 10**12, 2**62])
@pytest.mark.hostile("runs of others")
def test_features_wider_than_the_weights_are_refused(
    plain: Path, tmp_path: Path, width: int
) -> None:
    folder = changed(plain, tmp_path, lambda r: r["encoders"]["text"].update(out_dim=width))
    with pytest.raises(InputError, match=r"expected the run's|out_dim: .* expected a number"):
        restore(folder, ())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("hidden_size", 10**6), ("vocab_size", 10**12), ("intermediate_size", 10**9)),
        *(("num_hidden_layers", 1001), ("num_hidden_layers", 10**9)),
        ("max_position_embeddings", 10**15),
    ],
)
@pytest.mark.hostile("runs of others")
def test_a_text_model_larger_than_its_weights_is_refused(
    trained: Path, tmp_path: Path, key: str, value: int
) -> None:
    def grow(record: dict[str, Any]) -> None:
        record["encoders"]["text"]["architecture"][key] = value

    folder = changed(trained, tmp_path, grow)
    with pytest.raises(
        InputError,
        match=r"parameters|expected .*at most 1,?0|at most 10,000,000|at most 65,536|make no model",
    ):
        restore(folder, ())


@pytest.mark.hostile("runs of others")
def test_images_of_more_pixels_than_are_read_are_refused(plain: Path, tmp_path: Path) -> None:
    folder = changed(plain, tmp_path, lambda record: record["image"].update(size=8193))
    with pytest.raises(InputError, match=r"image\.size"):
        restore(folder, ())


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
        b"{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        b"{'descr': '<f8', 'shape': (3,)}",
        b"(" * 500,
    ],
)
@pytest.mark.hostile("runs of others")
def test_rarities_of_another_size_than_their_file_are_refused(
    plain: Path, tmp_path: Path, header: bytes
) -> None:
    folder = shutil.copytree(plain, tmp_path / "model")
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24)
    (folder / "tfidf_idf.npy").write_bytes(data)
    with pytest.raises(InputError, match=r"tfidf_idf\.npy is damaged"):
        restore(folder, ())


@pytest.mark.hostile("damaged files", fuzz=True)
def test_odd_values_in_model_json_are_restored_or_refused(
    plain: Path, tmp_path: Path, scale: Scale, attempts: Attempts
) -> None:
    folder = shutil.copytree(plain, tmp_path / "model")
    valid = json.loads((plain / "model.json").read_text())

    def check(tree: Any) -> None:
        (folder / "model.json").write_text(json.dumps(tree))
        with suppress(InputError):
            restore(folder, ())

    check(valid)
    try_each(damaged_tree(valid), check, scale.examples, attempts)


@pytest.mark.parametrize(
    "name", ["model.json", "tfidf.json", "tfidf_idf.npy", "classifier.safetensors"]
)
@pytest.mark.hostile("damaged files", fuzz=True)
def test_damaged_files_of_a_model_are_restored_or_refused(
    plain: Path, tmp_path: Path, scale: Scale, attempts: Attempts, name: str
) -> None:
    folder = shutil.copytree(plain, tmp_path / "model")
    valid = (plain / name).read_bytes()

    def check(content: bytes) -> None:
        (folder / name).write_bytes(content)
        with suppress(InputError):
            restore(folder, ())

    try_each(damaged_bytes(valid), check, scale.examples, attempts)


@pytest.mark.hostile("runs of others")
def test_a_sparse_model_json_is_refused(plain: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(plain, tmp_path / "model")
    with (folder / "model.json").open("ab") as stream:
        stream.truncate(10**9)
    with pytest.raises(InputError, match=r"model\.json has 1,000 MB"):
        restore(folder, ())


def test_the_widths_of_a_model_are_those_of_its_arrays(plain: Path) -> None:
    record = json.loads((plain / "model.json").read_text())
    idf = np.load(plain / "tfidf_idf.npy", allow_pickle=False)
    assert record["encoders"]["text"]["out_dim"] == len(idf)
