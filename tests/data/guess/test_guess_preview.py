from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.guess.preview import ROWS, form, is_table, read_preview
from mmclf.data.guess.table import guess_table
from mmclf.data.sources.table import load
from mmclf.errors import InputError

TEXT = 'text,labels\n"é, or so",a\nb,NA\n'
COLUMNS = {"text": ["é, or so", "b"], "labels": ["a", "NA"]}


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_encodings(tmp_path: Path, encoding: str, found: str, is_compressed: bool) -> None:
    path = tmp_path / ("t.csv.gz" if is_compressed else "t.csv")
    content = TEXT.encode(encoding)
    path.write_bytes(gzip.compress(content) if is_compressed else content)
    preview = read_preview(path)
    assert (preview.columns, preview.encoding, preview.delimiter) == (COLUMNS, found, ",")
    settings_of = {setting.key: setting.value for setting in guess_table(path).settings}
    assert ("encoding" in settings_of) == (found == "cp1252")


@pytest.mark.parametrize(
    ("delimiter", "is_told"), [(",", False), (";", True), ("\t", True), ("|", True)]
)
def test_delimiters(tmp_path: Path, delimiter: str, is_told: bool) -> None:
    frame = pd.DataFrame({"text": ["a, b", "c"], "labels": ["x", "y"], "more": ["", "1"]})
    frame.to_csv(tmp_path / "t.csv", sep=delimiter, index=False)
    preview = read_preview(tmp_path / "t.csv")
    assert preview.delimiter == delimiter
    assert preview.columns["text"] == ["a, b", "c"]
    settings_of = {
        setting.key: setting.value for setting in guess_table(tmp_path / "t.csv").settings
    }
    assert settings_of.get("delimiter") == (delimiter if is_told else None)
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    assert "delimiter" not in {setting.key for setting in guess_table(tmp_path / "t.tsv").settings}


def test_json_lines_keep_lists_and_numbers(tmp_path: Path) -> None:
    rows = [{"id": "007", "labels": ["a", "b"], "date": "2020-01-01"}, {"id": "1", "labels": []}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    columns = read_preview(tmp_path / "t.jsonl").columns
    assert columns["id"] == ["007", "1"]
    assert columns["labels"] == [["a", "b"], []]
    assert columns["date"][0] == "2020-01-01"


def test_parquet_with_pictures_inside(tmp_path: Path) -> None:
    pictures = [{"bytes": b"1" * 100, "path": path} for path in ("a.png", "b.png", None)]
    frame = pd.DataFrame({"image": pictures, "labels": [["a"], ["b", "a"], []]})
    frame.to_parquet(tmp_path / "t.parquet")
    preview = read_preview(tmp_path / "t.parquet")
    assert preview.pictures == ("image",)
    assert preview.columns == {"labels": [["a"], ["b", "a"], []]}
    settings_of = {
        setting.key: setting.value for setting in guess_table(tmp_path / "t.parquet").settings
    }
    assert (settings_of["image_column"], settings_of["label_column"]) == ("image", "labels")


def test_images_inside_are_known_by_their_paths(tmp_path: Path) -> None:
    pictures = [{"bytes": b"1" * 100, "path": path} for path in ("a.png", "a.png", "b.png")]
    columns = {"text": ["a cat", "one cat", "a dog"], "labels": [["cat"], ["cat"], ["dog"]]}
    pd.DataFrame({"image": pictures} | columns).to_parquet(tmp_path / "t.parquet")
    guess = guess_table(tmp_path / "t.parquet")
    assert guess.summary == Naming("3 columns")
    settings_of: dict[str, Any] = {setting.key: setting.value for setting in guess.settings}
    assert settings_of["image_column"] == settings_of["id_column"] == "image"
    samples = load(str(tmp_path), **settings_of)
    assert (samples.ids, samples.caption_counts.tolist()) == (("a.png", "b.png"), [2, 1])


@pytest.mark.parametrize(("name", "value"), [("photo", b"1"), ("images", [b"1"]), ("md5", b"1")])
def test_bytes_are_not_read_and_are_images_if_called_so(
    tmp_path: Path, name: str, value: object
) -> None:
    pd.DataFrame({name: [value], "labels": ["a"]}).to_parquet(tmp_path / "t.parquet")
    preview = read_preview(tmp_path / "t.parquet")
    assert preview.columns == {"labels": ["a"]}
    assert preview.pictures == ((name,) if name == "photo" else ())


def test_no_more_than_the_first_rows_are_read(tmp_path: Path) -> None:
    for rows in (ROWS, ROWS + 1):
        (tmp_path / "t.csv").write_text("a\n" + "x\n" * rows)
        assert len(read_preview(tmp_path / "t.csv")) == ROWS


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet", "t.csv.gz"])
def test_a_file_that_is_no_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=re.escape(name)):
        read_preview(tmp_path / name)


def test_the_form_is_the_suffix_below_a_compressed_ones() -> None:
    assert [form(Path(name)) for name in ("a.CSV", "a.b.tsv.gz", "a.gz", "a")] == [
        ".csv",
        ".tsv",
        ".gz",
        "",
    ]
    assert is_table(Path("a.jsonl.gz"))
    assert not is_table(Path("a.json"))


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.binary(max_size=80), st.sampled_from(["t.csv", "t.tsv", "t.jsonl", "t.parquet"]))
def test_any_bytes_are_guessed_at_or_refused(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    try:
        guess = guess_table(tmp_path / name)
    except InputError:
        return
    assert guess.settings[0].key == "file"
