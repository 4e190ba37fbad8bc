"""Small valid files of every kind, and what reads them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from mmclf.data.sources.coco_json import captions_in, instances_in, read_tree
from mmclf.data.sources.tables.delimited import read_delimited
from mmclf.storage.store.arrays import save_array
from mmclf.storage.store.entry import RECORD, DamagedError, Stage, StageTiming, open_entry, seal
from mmclf.storage.store.hashing import digest
from mmclf.storage.store.inner_files import is_inner_name
from mmclf.studies.report.artifacts.artifact_files import LabelShares, ModelSettings, read_json

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


def settings(path: Path) -> object:
    return read_json(path, ModelSettings)


def label_shares(path: Path) -> object:
    return read_json(path, LabelShares)


def record(folder: Path) -> bytes:
    """The record of an entry, and the file that it is of."""
    folder.mkdir(parents=True)
    (folder / "value").write_bytes(b"a")
    seal(folder, STAGE, StageTiming("fit", STAGE.key, 1.0, 1, "2 x CPU", None), ())
    return (folder / RECORD).read_bytes()


def open_record(folder: Path, tree: Any) -> None:
    """Open an entry with this record, whose sum is made to fit; no name leads out of it."""
    if isinstance(tree, dict):
        fields = {key: value for key, value in tree.items() if key != "sum"}
        try:
            tree = fields | {"sum": digest(fields)}
        except ValueError:  # of what no JSON holds
            return
    read_record(folder, (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode())


def read_record(folder: Path, content: bytes) -> None:
    """Open an entry with these bytes as its record, which may be refused; no name leads out."""
    (folder / RECORD).write_bytes(content)
    try:
        entry = open_entry(folder)
    except DamagedError:
        return
    assert all(map(is_inner_name, entry.files))
    assert entry.size >= 0
