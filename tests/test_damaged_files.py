"""Damaged files of every kind: each is read, or refused by a message; nothing else is raised."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import COCO_CAPTIONS, COCO_INSTANCES
from damage import damaged_bytes, damaged_tree, try_each
from endurance_runs import Scale
from safetensors.numpy import save

from mmclf.data.sources.coco_json import captions_in, instances_in, read_tree
from mmclf.data.sources.competition_csv import read_rows
from mmclf.data.sources.tables.delimited import read_delimited
from mmclf.errors import ArtifactError, InputError
from mmclf.models.weights import read_state
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import RECORD, DamagedError, Stage, StageTiming, open_entry, seal
from mmclf.storage.store.hashing import digest
from mmclf.storage.store.inner_files import is_inner_name
from mmclf.studies.definition import read_definition
from mmclf.studies.report.artifacts.artifact_files import (
    LabelShares,
    ModelSettings,
    read_columns,
    read_json,
)

TABLE = 'image,labels,caption\na.jpg,1|2,"a ""red"" bike"\nb.jpg,,é\n'.encode()
COMPETITION = b'ImageID,Labels,Caption\n0.jpg,1 19,"a man"\n1.jpg,2,"a "red" bike"\n'
SETTINGS = {"thresholds": [0.5, 0.25], "empty": "argmax", "label_names": ["cat", "dog"]}
SHARES = {"labels": ["cat", "dog"], "shares": {"train": [0.5, 0.25], "val": [0.0, 1.0]}}
STUDY = {
    "name": "a",
    "question": "Which?",
    "design": "grid",
    "metric": "test/f1_samples",
    "baseline": "a",
    "seeds": [0, 1],
    "factors": {"arm": ["a", "b"]},
    "command": "",
    "data": "",
    "arms": [{"name": name, "levels": {"arm": name}, "overrides": [name]} for name in "ab"],
    "effects": [{"name": "b", "weights": {"b": 1.0, "a": -1.0}, "draws": []}],
}
STAGE = Stage("fit", 1, {"seed": 0})


def npz() -> bytes:
    stream = io.BytesIO()
    labels = np.array([[0, 1], [1, 0], [1, 1]], np.uint8)
    logits = np.where(labels, 2.0, -2.0).astype(np.float32)
    ids, groups = np.array(["a", "b", "c"]), np.arange(3)
    np.savez_compressed(stream, ids=ids, groups=groups, logits=logits, labels=labels)
    return stream.getvalue()


def array(path: Path) -> bytes:
    save_array(path, np.linspace(0, 1, 7))
    return path.read_bytes()


def tensors() -> bytes:
    weights = {"head.weight": np.ones((2, 3), np.float32), "head.bias": np.zeros(2, np.float32)}
    data: bytes = save(weights)
    return data


def coco(path: Path) -> object:
    return instances_in(read_tree(path), path)


def captions(path: Path) -> object:
    return captions_in(read_tree(path), path, {10: "a.jpg", 30: "c.jpg"})


def table(path: Path) -> object:
    return read_delimited(path, ".csv", ["image", "labels"])


def read(path: Path, content: bytes, reader: Callable[[Path], object], refused: Any) -> None:
    """Read a file of this content, which may be refused."""
    path.write_bytes(content)
    with suppress(refused):
        reader(path)


@pytest.mark.parametrize(
    ("make", "reader", "refused"),
    [
        pytest.param(lambda _: TABLE, table, InputError, id="table"),
        pytest.param(lambda _: COMPETITION, read_rows, InputError, id="competition"),
        pytest.param(lambda _: json.dumps(COCO_INSTANCES).encode(), coco, InputError, id="coco"),
        pytest.param(lambda _: npz(), read_columns, ArtifactError, id="npz"),
        pytest.param(array, load_array, ValueError, id="npy"),
        pytest.param(lambda _: tensors(), read_state, InputError, id="safetensors"),
    ],
)
def test_damaged_bytes_are_read_or_refused(
    tmp_path: Path,
    scale: Scale,
    make: Callable[[Path], bytes],
    reader: Callable[[Path], object],
    refused: type[Exception],
) -> None:
    path = tmp_path / "file.safetensors"
    valid = make(path)
    path.write_bytes(valid)
    reader(path)
    try_each(damaged_bytes(valid), lambda one: read(path, one, reader, refused), scale.examples)


def settings(path: Path) -> object:
    return read_json(path, ModelSettings)


def label_shares(path: Path) -> object:
    return read_json(path, LabelShares)


@pytest.mark.parametrize(
    ("valid", "reader", "refused"),
    [
        pytest.param(COCO_INSTANCES, coco, InputError, id="instances"),
        pytest.param(COCO_CAPTIONS, captions, InputError, id="captions"),
        pytest.param(SETTINGS, settings, ArtifactError, id="model.json"),
        pytest.param(SHARES, label_shares, ArtifactError, id="label_shares.json"),
        pytest.param(STUDY, read_definition, InputError, id="study.json"),
    ],
)
def test_odd_values_in_json_are_read_or_refused(
    tmp_path: Path,
    scale: Scale,
    valid: Any,
    reader: Callable[[Path], object],
    refused: type[Exception],
) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(valid))
    reader(path)

    def check(tree: Any) -> None:
        read(path, json.dumps(tree).encode(), reader, refused)

    try_each(damaged_tree(valid), check, scale.examples)


def test_odd_values_in_a_record_lead_nowhere(tmp_path: Path, scale: Scale) -> None:
    folder = tmp_path / "fit" / STAGE.key
    folder.mkdir(parents=True)
    (folder / "value").write_bytes(b"a")
    seal(folder, STAGE, StageTiming("fit", STAGE.key, 1.0, 1, "2 x CPU", None), ())
    valid = json.loads((folder / RECORD).read_bytes())

    def check(tree: Any) -> None:
        if isinstance(tree, dict):
            fields = {key: value for key, value in tree.items() if key != "sum"}
            try:
                tree = fields | {"sum": digest(fields)}
            except ValueError:  # of what no JSON holds
                return
        text = json.dumps(tree, indent=1, sort_keys=True) + "\n"
        (folder / RECORD).write_text(text)
        try:
            entry = open_entry(folder)
        except DamagedError:
            return
        assert all(map(is_inner_name, entry.files))
        assert entry.size >= 0

    check(valid)
    try_each(damaged_tree(valid), check, scale.examples)
