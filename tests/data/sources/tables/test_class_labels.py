from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from mmclf.data.sources.table import load
from mmclf.data.sources.tables.class_labels import class_names, with_names
from mmclf.errors import InputError

CLASSES = {"names": ["cat", "dog", "bird"], "_type": "ClassLabel"}
LISTS: list[Any] = [
    {"feature": CLASSES, "_type": "Sequence"},
    {"feature": CLASSES, "_type": "List"},
    [CLASSES],
]


def metadata(**features: Any) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def write(path: Path, labels: list[Any], feature: Any) -> None:
    arrow = importlib.import_module("pyarrow")
    columns = {"id": [f"{i}" for i in range(len(labels))], "labels": labels}
    table = arrow.table(columns | {"caption": ["c"] * len(labels)})
    table = table.replace_schema_metadata(metadata(labels=feature))
    importlib.import_module("pyarrow.parquet").write_table(table, path)


@pytest.mark.parametrize("feature", [CLASSES, *LISTS])
def test_classes_and_lists_of_them_have_names(feature: Any) -> None:
    assert class_names(metadata(labels=feature)) == {"labels": ["cat", "dog", "bird"]}


@pytest.mark.parametrize(
    "feature",
    [
        {"dtype": "int64", "_type": "Value"},
        {"names": [1, 2], "_type": "ClassLabel"},
        {"names": "ab", "_type": "ClassLabel"},
        {"_type": "ClassLabel"},
        [],
        None,
        7,
    ],
)
def test_what_is_no_class_has_none(feature: Any) -> None:
    assert class_names(metadata(labels=feature)) == {}


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        *({b"huggingface": text} for text in (b"{", b"[]", b"\xff", b"[" * 100_000)),
        {b"huggingface": b'{"info": null}'},
    ],
)
def test_what_cannot_be_read_names_nothing(given: dict[bytes, bytes] | None) -> None:
    assert class_names(given) == {}


@pytest.mark.parametrize("feature", LISTS)
def test_a_table_of_numbered_classes_has_their_names_as_labels(
    tmp_path: Path, feature: Any
) -> None:
    pytest.importorskip("pyarrow")
    write(tmp_path / "t.parquet", [[0, 2], [1], [2]], feature)
    samples = load(str(tmp_path), "t.parquet", image_column=None, id_column="id")
    assert samples.label_ids == ("bird", "cat", "dog")
    assert samples.labels.tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_a_single_class_is_a_label_and_an_unknown_one_is_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    write(tmp_path / "t.parquet", [0, -1, 1], CLASSES)
    samples = load(str(tmp_path), "t.parquet", image_column=None, id_column="id", unlabelled="keep")
    assert samples.labels.tolist() == [[1, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize("number", [3, -2])
def test_a_class_without_a_name_is_refused_with_its_row(number: int) -> None:
    with pytest.raises(InputError, match=rf"t\.parquet, row 2: .*'y' .* {number}, .* 3 classes"):
        with_names(Path("t.parquet"), "y", [[0], [1, number]], CLASSES["names"])


def test_texts_and_flags_stay_as_they_are() -> None:
    values: list[object] = ["0", True, None, ["1", False]]
    assert with_names(Path("t"), "y", values, ["a", "b"]) == values
