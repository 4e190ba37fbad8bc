"""Damaged files of every kind: each is read, or refused by a message; nothing else is raised."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import COCO_CAPTIONS, COCO_INSTANCES
from damage import damaged_bytes, damaged_tree, try_each
from endurance_runs import Scale
from hostile_count import Attempts
from valid_files import (
    COMPETITION,
    SETTINGS,
    SHARES,
    STAGE,
    STUDY,
    TABLE,
    array,
    captions,
    coco,
    label_shares,
    npz,
    open_record,
    record,
    settings,
    table,
    tensors,
)

from mmclf.data.sources.competition_csv import read_rows
from mmclf.errors import ArtifactError, InputError
from mmclf.models.weights import read_state
from mmclf.storage.store.arrays import load_array
from mmclf.studies.definition import read_definition
from mmclf.studies.report.artifacts.artifact_files import read_columns


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
@pytest.mark.hostile("damaged files", fuzz=True)
def test_damaged_bytes_are_read_or_refused(
    tmp_path: Path,
    scale: Scale,
    attempts: Attempts,
    make: Callable[[Path], bytes],
    reader: Callable[[Path], object],
    refused: type[Exception],
) -> None:
    path = tmp_path / "file.safetensors"
    valid = make(path)
    path.write_bytes(valid)
    reader(path)
    drawn = damaged_bytes(valid)
    try_each(drawn, lambda one: read(path, one, reader, refused), scale.examples, attempts)


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
@pytest.mark.hostile("damaged files", fuzz=True)
def test_odd_values_in_json_are_read_or_refused(
    tmp_path: Path,
    scale: Scale,
    attempts: Attempts,
    valid: Any,
    reader: Callable[[Path], object],
    refused: type[Exception],
) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(valid))
    reader(path)

    def check(tree: Any) -> None:
        read(path, json.dumps(tree).encode(), reader, refused)

    try_each(damaged_tree(valid), check, scale.examples, attempts)


@pytest.mark.hostile("damaged files", fuzz=True)
def test_odd_values_in_a_record_lead_nowhere(
    tmp_path: Path, scale: Scale, attempts: Attempts
) -> None:
    folder = tmp_path / "fit" / STAGE.key
    valid = json.loads(record(folder))
    open_record(folder, valid)
    try_each(damaged_tree(valid), lambda tree: open_record(folder, tree), scale.examples, attempts)
