from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from message_facts import Naming
from table_folders import label_sets, loaded, problems

from mmclf.data.sources.table import load

ROWS = [
    {"caption": "x", "labels": ["traffic light", "dog"], "n": 1},
    {"labels": ["dog"], "caption": None, "later": 0.5},
    {"labels": [3]},
]


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.JSONL.gz"])
def test_an_object_on_each_line(tmp_path: Path, name: str) -> None:
    text = "\n\n".join(map(json.dumps, ROWS)) + "\n"
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    samples = load(str(tmp_path), name, image_column=None)
    assert samples.ids == ("1", "3", "5")
    assert samples.captions == ("x", "", "")
    assert label_sets(samples) == [{"traffic light", "dog"}, {"dog"}, {"3"}]


def test_columns_by_prefix_that_some_objects_lack(tmp_path: Path) -> None:
    text = '{"caption": "x", "is_a": 1, "is_b": false}\n{"caption": "y", "is_b": 1, "is_a": 0}\n'
    samples = loaded(tmp_path, text, "t.jsonl", label_columns="is_*")
    assert samples.labels.tolist() == [[1, 0], [0, 1]]
    (problem,) = problems(tmp_path, text + '{"is_a": 1}\n', "t.jsonl", label_columns="is_*")
    assert problem == Naming("None", "'is_b'", "line 3")


@pytest.mark.parametrize("line", ["[1]", "3", "{", "{'a': 1}", "[" * 100_000, "1" * 5000])
def test_a_line_that_is_no_object(tmp_path: Path, line: str) -> None:
    (problem,) = problems(tmp_path, json.dumps(ROWS[0]) + f"\n{line}\n", "t.jsonl")
    assert "line 2" in problem


def test_values_that_are_no_texts(tmp_path: Path) -> None:
    text = '{"caption": "x", "labels": "a"}\n{"caption": {"en": "x"}, "labels": "a"}\n'
    (problem,) = problems(tmp_path, text, "t.jsonl")
    assert problem == Naming("line 2", "'caption'", "{'en': 'x'}")
