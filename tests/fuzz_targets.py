"""What is fuzzed under coverage: how bytes are taken, what they start from, what may be raised.

Whatever the bytes are, they are read, or refused by the error that is documented.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from command_lines import HERE
from conftest import COCO_INSTANCES
from odd_words import KEYS, VALUES
from valid_files import (
    COMPETITION,
    STAGE,
    TABLE,
    coco,
    npz,
    open_record,
    read_record,
    record,
    table,
    tensors,
)
from written_models import TFIDF, written

from mmclf.config.compose import check_command
from mmclf.data.sources.competition_csv import read_rows
from mmclf.errors import ArtifactError, InputError
from mmclf.models.weights import read_state
from mmclf.pipeline.predict.restore import restore
from mmclf.studies.report.artifacts.artifact_files import read_columns

YAML = b"""# @package _global_
defaults:
  - override /loss: focal
seed: 3
head: {hidden: 16, dropout: 0.1}
trainer:
  epochs: ${seed}
"""
JSON_WORDS = ("{", "}", "[", "]", ":", ",", '"', "null", "1e999", "NaN", "-1", "\\ud800")


@dataclass(frozen=True)
class Target:
    """What takes bytes.

    Attributes:
        seeds: that are valid, or nearly so.
        one: takes bytes; raises only if they are answered by what is not documented.
        words: that the bytes may be made of.

    """

    seeds: Sequence[bytes]
    one: Callable[[bytes], object]
    words: Sequence[str] = ()


def overrides(_: Path) -> Target:
    """A command line, an override a line; a first line `-m` makes it a sweep."""

    def one(data: bytes) -> None:
        first, *others = data.decode(errors="replace").split("\n")
        lines = others if first == "-m" else [first, *others]
        with suppress(InputError):
            check_command([*HERE, *lines], multirun=first == "-m")

    seeds = [b"seed=1\nhead.hidden=4", b"-m\nloss=bce,focal\nseed=range(3)", b"hydra.run.dir=x"]
    return Target(seeds, one, (*KEYS, *VALUES))


def yaml(folder: Path) -> Target:
    """A file of a config group."""
    (folder / "experiment").mkdir()

    def one(data: bytes) -> None:
        (folder / "experiment" / "any.yaml").write_bytes(data)
        with suppress(InputError):
            check_command([*HERE, "experiment=any"], folder)

    words = (*KEYS, *VALUES, ": ", "- ", "&a ", "*a", "<<: ", "!!python/object:os.system", "---\n")
    return Target([YAML, b"# @package _global_\nseed: &a 1\n"], one, words)


def _file(
    folder: Path, reader: Callable[[Path], object], refused: type[Exception], name: str = "file"
) -> Callable[[bytes], None]:
    path = folder / name

    def one(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(refused):
            reader(path)

    return one


def csv(folder: Path) -> Target:
    """A table."""
    return Target([TABLE], _file(folder, table, InputError))


def competition(folder: Path) -> Target:
    """A table of the competition's, which is not quoted as it should be."""
    return Target([COMPETITION], _file(folder, read_rows, InputError))


def coco_json(folder: Path) -> Target:
    """Instances in MS COCO's format."""
    seeds = [json.dumps(COCO_INSTANCES).encode()]
    return Target(seeds, _file(folder, coco, InputError), [*JSON_WORDS, *COCO_INSTANCES])


def predictions(folder: Path) -> Target:
    """The predictions of a run, `predictions/test.npz`; or one array of them."""
    valid = npz()
    with zipfile.ZipFile(io.BytesIO(valid)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    read = _file(folder, read_columns, ArtifactError)

    def one(data: bytes) -> None:
        if data.startswith(b"PK"):
            read(data)
            return
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in (members | {"logits.npy": data}).items():
                archive.writestr(name, content)
        read(stream.getvalue())

    words = ("<f4", "|O", "<U999", "'shape': (", "10" * 9, "True", "\x93NUMPY")
    return Target([valid, members["logits.npy"], members["ids.npy"]], one, words)


def entry(folder: Path) -> Target:
    """The record of a stored entry, whose sum fits it."""
    place = folder / "fit" / STAGE.key
    valid = record(place)

    def one(data: bytes) -> None:
        try:
            tree = json.loads(data)
        except (ValueError, RecursionError):
            read_record(place, data)
            return
        open_record(place, tree)

    return Target([valid], one, [*JSON_WORDS, "../../x", *json.loads(valid)])


def model_json(folder: Path) -> Target:
    """`model.json` of a run's model."""
    valid, _, _ = written(folder, "vision=none", *TFIDF, "head.hidden=6")
    place = shutil.copytree(valid, folder / "copy")
    seed = (valid / "model.json").read_bytes()

    def one(data: bytes) -> None:
        (place / "model.json").write_bytes(data)
        with suppress(InputError):
            restore(place, ())

    return Target([seed], one, [*JSON_WORDS, *json.loads(seed), "os.system", "../x"])


def safetensors(folder: Path) -> Target:
    """A checkpoint; or its header alone, whose size fits."""
    valid = tensors()
    size = int.from_bytes(valid[:8], "little")
    read = _file(folder, read_state, InputError, "a.safetensors")

    def one(data: bytes) -> None:
        is_header = data.startswith(b"{")
        start = len(data).to_bytes(8, "little") if is_header else b""
        read(start + data + (valid[8 + size :] if is_header else b""))

    words = ("dtype", "F32", "BF16", "shape", "data_offsets", "__metadata__")
    return Target([valid, valid[8 : 8 + size]], one, [*JSON_WORDS, *words])


TARGETS: Mapping[str, Callable[[Path], Target]] = {
    "overrides": overrides,
    "yaml": yaml,
    "csv": csv,
    "competition": competition,
    "coco": coco_json,
    "npz": predictions,
    "record": entry,
    "model.json": model_json,
    "safetensors": safetensors,
}
