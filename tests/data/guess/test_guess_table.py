"""Tables as people have them, and the settings that are guessed for each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from mmclf.data.guess.settings import MISSING
from mmclf.data.guess.table import guess_table

ROWS = 12
NAMES = [f"{i}.png" for i in range(ROWS)]
TEXTS = [f"a picture that is number {i}" for i in range(ROWS)]
LABELS = ["red", "red blue", "green"] * 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pictures in `img/small`, and an empty one for tables."""
    for name in NAMES:
        (tmp_path / "set" / "img" / "small").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "set" / "img" / "small" / name)
    return tmp_path / "set"


def guessed(folder: Path, columns: dict[str, object], name: str = "t.csv") -> dict[str, object]:
    pd.DataFrame(columns).to_csv(folder / name, index=False)
    return {setting.key: setting.value for setting in guess_table(folder / name).settings}


def test_a_plain_table(folder: Path) -> None:
    parts = ["train", "Validation", "test"] * 4
    guess = guessed(folder, {"path": NAMES, "tags": LABELS, "about": TEXTS, "split": parts})
    assert guess == {
        "file": "t.csv",
        "split_column": "split",
        "image_column": "path",
        "images": "img/small",
        "label_column": "tags",
        "separator": " ",
        "caption_column": "about",
    }


def test_the_root_is_above_a_table_that_lies_beside_the_images(folder: Path) -> None:
    (folder / "tables").mkdir()
    pd.DataFrame({"image": NAMES, "labels": LABELS}).to_csv(folder / "tables" / "t.csv")
    guess = guess_table(folder / "tables" / "t.csv")
    assert guess.root == folder
    settings = {setting.key: setting.value for setting in guess.settings}
    assert (settings["file"], settings["images"]) == ("tables/t.csv", "img/small")


@pytest.mark.parametrize("suffix", [".png", ".PNG"])
def test_names_without_a_suffix(folder: Path, suffix: str) -> None:
    for name in NAMES:
        path = folder / "img" / "small" / name
        path.rename(path.with_suffix(suffix))
    numbers = [str(i) for i in range(ROWS)]
    guess = guessed(folder, {"photo_id": numbers, "labels": LABELS})
    assert (guess["image_column"], guess["image_suffix"]) == ("photo_id", suffix)
    # Numbers that are mostly no files are ids.
    far = [str(i + ROWS // 2 + 1) for i in range(ROWS)]
    guess = guessed(folder, {"photo_id": far, "labels": LABELS})
    assert (guess["image_column"], guess["id_column"]) == (None, "photo_id")


def test_images_that_are_not_there(folder: Path) -> None:
    guess = guess_table(_written(folder, {"image": ["x.jpg"] * 4, "labels": ["a", "b"] * 2}))
    settings = {setting.key: setting for setting in guess.settings}
    assert settings["image_column"].value == "image"
    assert settings["images"].value == "."
    assert settings["images"].why.startswith("0 of 1 ")


def _written(folder: Path, columns: dict[str, object]) -> Path:
    pd.DataFrame(columns).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a|b c", "b c", "a"], "|"),
        (["a;b", "b", "a"], ";"),
        (["a, b c", "b c", "a"], ","),
        (["a b", "b", "a c"], " "),
        (["a", "b", "a"], " "),
        # Each cell is one label of two words.
        (["traffic light", "stop sign", "traffic light"], "|"),
    ],
)
def test_the_separator(folder: Path, cells: list[str], separator: str) -> None:
    assert guessed(folder, {"text": TEXTS, "labels": cells * 4})["separator"] == separator


@pytest.mark.parametrize(
    "cells", [["['a', 'b']", "['a']"], ['["a", "b c"]', "[]"], ["['a' 'b']", ""]]
)
def test_lists_have_no_separator(folder: Path, cells: list[str]) -> None:
    guess = guessed(folder, {"text": TEXTS, "labels": cells * 6})
    assert guess["label_column"] == "labels"
    assert "separator" not in guess


@pytest.mark.parametrize("values", [[0, 1], ["yes", "No"], ["True", "False"], [0.0, 1.0]])
def test_a_column_for_each_label(folder: Path, values: list[object]) -> None:
    first, second = values
    columns: dict[str, object] = {
        "text": TEXTS,
        "dog": [first, second, first] * 4,
        "cat": [second, first, first] * 4,
        "rare": [first] * ROWS,
    }
    guess = guessed(folder, columns)
    assert (guess["label_column"], guess["label_columns"]) == (None, ["dog", "cat", "rare"])
    named = {f"is_{name}" if name != "text" else name: cells for name, cells in columns.items()}
    assert guessed(folder, named)["label_columns"] == "is_*"
    # One that does not belong to them begins alike.
    named["is_what"] = TEXTS
    assert guessed(folder, named)["label_columns"] == ["is_dog", "is_cat", "is_rare"]


def test_rows_that_say_they_have_no_label(folder: Path) -> None:
    columns: dict[str, object] = {"text": TEXTS, "dog": [1, 0, 0] * 4, "cat": [0, 1, 0] * 4}
    assert guessed(folder, columns)["unlabelled"] == "keep"
    columns["cat"] = [0, 1, 1] * 4
    assert "unlabelled" not in guessed(folder, columns)
    lists = {"text": TEXTS, "labels": ["['a']", "['b', 'a']", "[]"] * 4}
    assert guessed(folder, dict(lists))["unlabelled"] == "keep"
    # An empty cell may be one that was forgotten.
    lists["labels"] = ["['a']", "['b', 'a']", ""] * 4
    assert "unlabelled" not in guessed(folder, dict(lists))


def test_labels_by_what_stands_in_a_column(folder: Path) -> None:
    guess = guessed(folder, {"n": range(ROWS), "x": LABELS, "y": TEXTS})
    assert (guess["label_column"], guess["caption_column"]) == ("x", "y")
    guess = guessed(folder, {"n": range(ROWS), "y": TEXTS})
    assert guess["label_column"] == MISSING


def test_a_name_that_is_a_word_alone_goes_before_one_that_holds_it(folder: Path) -> None:
    columns = {"num_labels": [1] * ROWS, "imageCaption": TEXTS, "tags": LABELS, "text_id": NAMES}
    guess = guessed(folder, dict(columns))
    assert guess["label_column"] == "tags"


def test_several_captions(folder: Path) -> None:
    guess = guessed(folder, {"caption_1": TEXTS, "caption2": TEXTS[::-1], "labels": LABELS})
    assert guess["caption_columns"] == ["caption_1", "caption2"]
    assert (guess["caption_column"], guess["caption_use"]) == (None, "each")
    guess = guessed(
        folder, {"image": sorted(NAMES * 2)[:ROWS], "caption": TEXTS, "tag": ["a"] * 12}
    )
    assert (guess["id_column"], guess["caption_use"]) == ("image", "each")
    assert "rows" not in guess


def test_a_row_for_each_label(folder: Path) -> None:
    names = [f"{i // 3}.png" for i in range(ROWS)]
    guess = guessed(folder, {"image": names, "label": ["a", "b", "c d"] * 4})
    assert guess["rows"] == "per_label"
    assert "id_column" not in guess
    ids = [f"sample {name}." for name in names]
    guess = guessed(folder, {"id": ids, "text": [f"a text of {n}" for n in ids], "label": LABELS})
    assert (guess["rows"], guess["id_column"]) == ("per_label", "id")
    # Rows that differ in both are samples of their own.
    guess = guessed(folder, {"id": ids, "text": TEXTS, "label": LABELS})
    assert not {"rows", "id_column", "caption_use"} & {*guess}


def test_groups(folder: Path) -> None:
    guess = guessed(folder, {"patient_id": [1, 2] * 6, "text": TEXTS, "labels": LABELS})
    assert guess["group_column"] == "patient_id"
    assert "group_column" not in guessed(
        folder, {"patient": range(ROWS), "text": TEXTS, "labels": LABELS}
    )
