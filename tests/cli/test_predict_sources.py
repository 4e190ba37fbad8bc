"""`mmclf predict` for the samples of the run's own source, and of others by its settings."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from message_facts import Naming

import mmclf
from mmclf.cli.main import main

WORDS = ("a dog by the sea", "two cats", "a cat and a dog", "the sea")
TAGS = (("big dog", "sea"), ("small cat",), ("big dog", "small cat"), ("sea",))
NAMES = {"big dog", "small cat", "sea"}
SMALL = ("trainer.epochs=3", "vision=none", "text=tfidf", "text.min_df=1", "device=cpu")


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run_on(folder: Path, *overrides: str) -> str:
    """The id of a small run on the table t.csv in `folder`."""
    data = ("data=table", f"data.root={folder}", "data.image_column=null", *overrides)
    return mmclf.run(mmclf.compose([*SMALL, f"output_dir={folder}/out", *data])).run_id


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables: of the run, of one column for each label, and without labels."""
    folder = tmp_path_factory.mktemp("tables")
    rows = [(f"n{i}", WORDS[i % 4], TAGS[i % 4]) for i in range(60)]
    write(folder / "t.csv", ["name", "words", "tags"], [(n, w, "|".join(t)) for n, w, t in rows])
    header = ["name", "words", *(f"is_{name}" for name in sorted(NAMES))]
    flags = [(n, w, *(str(int(m in t)) for m in sorted(NAMES))) for n, w, t in rows]
    write(folder / "flags.csv", header, flags)
    write(folder / "new.csv", ["name", "words"], [(f"x{i}", WORDS[i]) for i in range(4)])
    write(folder / "other.csv", ["key", "text"], [("k1", WORDS[1]), ("k0", WORDS[0])])
    return folder


@pytest.fixture(scope="module")
def tagged(folder: Path) -> str:
    """The id of a run on a table with one column of labels."""
    columns = ("data.id_column=name", "data.caption_column=words", "data.label_column=tags")
    return run_on(folder, "data.file=t.csv", *columns, "data.separator='|'")


@pytest.fixture(scope="module")
def flagged(folder: Path) -> str:
    """The id of a run on a table with a column for each label."""
    columns = ("data.id_column=name", "data.caption_column=words", "data.label_columns=is_*")
    return run_on(folder, "data.file=flags.csv", *columns)


def predict(folder: Path, run_id: str, *arguments: str) -> int:
    return main(["predict", run_id, f"output_dir={folder}/out", "device=cpu", *arguments])


def test_a_table_without_labels_gets_them_as_the_runs_table_has_them(
    folder: Path, tagged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    assert predict(folder, tagged, "data.file=new.csv", f"--out={out}") == 0
    assert capsys.readouterr().err == ""
    rows = read(out)
    assert [[*row] for row in rows] == [["name", "tags"]] * 4
    assert [row["name"] for row in rows] == ["x0", "x1", "x2", "x3"]
    predictor = mmclf.load(tagged, output_dir=folder / "out")
    assert [tuple(row["tags"].split("|")) for row in rows] == predictor.predict(captions=WORDS)
    assert {tag for row in rows for tag in row["tags"].split("|")} <= NAMES


def test_what_was_written_is_a_table_to_train_on(folder: Path, tagged: str, tmp_path: Path) -> None:
    assert predict(folder, tagged, f"--out={tmp_path / 'out.csv'}") == 0
    written = {row["name"]: row["tags"] for row in read(tmp_path / "out.csv")}
    # The run's own table, of which the labels are not used.
    words = {row["name"]: row["words"] for row in read(folder / "t.csv")}
    assert [*written] == [*words]
    rows = [(name, words[name], tags) for name, tags in written.items()]
    write(tmp_path / "t.csv", ["name", "words", "tags"], rows)
    columns = ("data.id_column=name", "data.caption_column=words", "data.label_column=tags")
    assert run_on(tmp_path, "data.file=t.csv", *columns, "data.separator='|'")


def test_a_run_on_a_column_for_each_label_writes_such(
    folder: Path, flagged: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    assert predict(folder, flagged, "data.file=new.csv", f"--out={out}") == 0
    rows = read(out)
    assert [*rows[0]] == ["name", *(f"is_{name}" for name in sorted(NAMES))]
    assert {value for row in rows for value in [*row.values()][1:]} <= {"0", "1"}
    assert predict(folder, flagged, "data.file=new.csv", f"--out={out}", "--top=2") == 0
    # Some labels have a space, which is the separator of this run.
    assert all(len(row["labels"].split("|")) == 2 for row in read(out))


def test_other_columns_are_named_by_settings(folder: Path, tagged: str, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    columns = ("data.file=other.csv", "data.id_column=key", "data.caption_column=text")
    assert predict(folder, tagged, *columns, f"--out={out}") == 0
    assert [row["key"] for row in read(out)] == ["k1", "k0"]
    assert predict(folder, tagged, *columns[::2], "data.id_column=null", f"--out={out}") == 0
    assert [row["row"] for row in read(out)] == ["2", "3"]


def test_another_source_is_named_by_its_level(folder: Path, tagged: str, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["key", "text"], [("k", WORDS[0])])
    settings = ("data.file=a.csv", "data.image_column=null", "data.id_column=key")
    out = tmp_path / "out.csv"
    source = ("data=table", f"data.root={tmp_path}", *settings, "data.caption_column=text")
    assert predict(folder, tagged, *source, f"--out={out}") == 0
    (row,) = read(out)
    assert [*row] == ["key", "labels"]


def test_probabilities_and_the_best_as_json_lines(
    folder: Path, tagged: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    arguments = (tagged, "data.file=new.csv", "--probabilities", f"--out={out}")
    assert predict(folder, *arguments) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    probabilities = mmclf.load(tagged, output_dir=folder / "out").predict_proba(captions=WORDS)
    actual = [[row[name] for name in sorted(NAMES)] for row in rows]
    assert actual == [pytest.approx(row, rel=1e-6) for row in probabilities.tolist()]
    assert predict(folder, *arguments, "--top=2") == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for row, of_row in zip(rows, actual, strict=True):
        by_label = dict(zip(sorted(NAMES), of_row, strict=True))
        best = sorted(by_label, key=lambda name: -by_label[name])[:2]
        assert row["tags"] == best
        assert row["probabilities"] == [by_label[name] for name in best]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data.file=non.csv"], Naming("data.file")),
        (["data.fil=new.csv"], Naming("'file'")),
        (["data.file=new.csv", "data.caption_column=word"], Naming("'words'")),
        (["data.file=new.csv", "--out=out.xlsx"], Naming("--out", "*.csv")),
        (["data=tabel"], Naming("'table'")),
        (["loss=focal"], Naming("loss=focal")),
    ],
)
def test_what_cannot_be_read_is_said(
    folder: Path,
    tagged: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: Naming,
) -> None:
    assert predict(folder, tagged, *arguments) == 2
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("arguments", [["--top=0"], ["--labels=words"]])
def test_options_have_their_values(tagged: str, folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        predict(folder, tagged, *arguments)
    assert caught.value.code == 2
