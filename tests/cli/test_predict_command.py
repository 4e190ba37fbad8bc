"""`mmclf predict`: the file that it writes, and that it writes none when something is wrong."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from message_facts import Naming
from PIL import Image

import mmclf
from mmclf.cli.main import main
from mmclf.data.sources.competition_csv import CompetitionRow, read_rows, write_rows
from mmclf.pipeline.predict.predictor import Predictor
from mmclf.storage.tracking import Tracker

SMALL = ("data.train=100", "data.test=10", "trainer.epochs=2", "encode.precision=fp32")
VISION = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random", "image.size=32")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def both(outputs: Path) -> str:
    """The id of a run on images and captions."""
    return mmclf.run(mmclf.compose([*SMALL, *VISION, f"output_dir={outputs}"])).run_id


@pytest.fixture(scope="module")
def words(outputs: Path) -> str:
    """The id of a run on captions alone."""
    return mmclf.run(mmclf.compose([*SMALL, f"output_dir={outputs}"])).run_id


@pytest.fixture
def root(tmp_path: Path, outputs: Path, both: str) -> Path:
    """A copy of the demo's test set, which has labels."""
    (demo,) = (path.parent for path in outputs.glob("store/demo/*/test.csv"))
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    shutil.copy(demo / "test.csv", root)
    for row in read_rows(root / "test.csv"):
        shutil.copy(demo / "data" / row.id, root / "data")
    return root


def predict(outputs: Path, run_id: str, root: Path, *arguments: str) -> int:
    places = [f"--root={root}", f"output_dir={outputs}", "device=cpu"]
    return main(["predict", run_id, *places, *arguments])


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def expected(
    outputs: Path, run_id: str, root: Path
) -> tuple[Predictor, list[CompetitionRow], np.ndarray]:
    predictor, rows = mmclf.load(run_id, output_dir=outputs), read_rows(root / "test.csv")
    images = [root / "data" / row.id for row in rows]
    return predictor, rows, predictor.predict_proba(images, [row.caption for row in rows])


@pytest.mark.parametrize("labelled", [True, False])
def test_the_file_is_as_the_competition_wants_it(
    outputs: Path, both: str, root: Path, capsys: pytest.CaptureFixture[str], labelled: bool
) -> None:
    predictor, rows, probabilities = expected(outputs, both, root)
    if not labelled:
        write_rows(root / "test.csv", [(row.id, None, row.caption) for row in rows])
    out = root / "out.csv"
    assert predict(outputs, both, root, f"--out={out}") == 0
    said = capsys.readouterr()
    assert said.out == Naming(out, "10 samples", both)
    assert said.err == ""
    lines = read(out)
    assert lines[0] == ["ImageID", "Labels"]
    assert [line[0] for line in lines[1:]] == [row.id for row in rows]
    sets = predictor.label_sets(probabilities)
    names = [[predictor.label_ids[j] for j in np.flatnonzero(row)] for row in sets]
    assert [line[1].split(" ") for line in lines[1:]] == names
    assert all([int(i) for i in ids] == sorted(map(int, ids)) for ids in names)
    assert b"\r" not in out.read_bytes()
    assert {path.name for path in root.iterdir()} == {"data", "test.csv", "out.csv"}


def test_the_file_lies_where_one_stands_and_replaces_an_older_one(
    outputs: Path, words: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("submission.csv").write_text("older")
    shutil.rmtree(root / "data")
    assert predict(outputs, words[:10], root) == 0
    assert len(read(tmp_path / "submission.csv")) == 11
    assert predict(outputs, words, root, "--probabilities") == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "submission.csv",
        "probabilities.csv",
    }


@pytest.mark.parametrize("setting", ["--root", "data.root"])
def test_the_test_set_of_another_root_is_named_either_way(
    outputs: Path, both: str, root: Path, tmp_path: Path, setting: str
) -> None:
    arguments = (f"{setting}={root}", f"output_dir={outputs}", "device=cpu")
    assert main(["predict", both, *arguments, f"--out={tmp_path / 'out.csv'}"]) == 0
    _, rows, _ = expected(outputs, both, root)
    assert [line[0] for line in read(tmp_path / "out.csv")] == ["ImageID", *(r.id for r in rows)]


def test_without_more_a_run_predicts_its_own_test_set(
    outputs: Path, words: str, root: Path, tmp_path: Path
) -> None:
    place = (f"output_dir={outputs}", "device=cpu")
    assert main(["predict", words, *place, f"--out={tmp_path / 'own.csv'}"]) == 0
    assert predict(outputs, words, root, f"--out={tmp_path / 'root.csv'}") == 0
    assert (tmp_path / "own.csv").read_bytes() == (tmp_path / "root.csv").read_bytes()


def test_labels_by_name_are_joined_by_what_no_name_holds(
    outputs: Path, words: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = root / "out.csv"
    assert predict(outputs, words, root, "--labels=names", f"--out={out}") == 0
    assert "'|' stands between labels" in capsys.readouterr().err
    predictor, rows, _ = expected(outputs, words, root)
    actual = [tuple(line[1].split("|")) for line in read(out)[1:]]
    assert actual == predictor.predict(captions=[row.caption for row in rows])


@pytest.fixture
def odd_names(outputs: Path, both: str) -> Iterator[list[str]]:
    """Label names that a CSV file must quote, until the test ends."""
    path = outputs / "artifacts" / both / "artifacts" / "model" / "model.json"
    before = path.read_text()
    facts = json.loads(before)
    facts["label_names"][:3] = ['a "b", c', "two\nlines", "é"]
    path.write_text(json.dumps(facts))
    yield facts["label_names"]
    path.write_text(before)


def test_probabilities_have_a_column_for_each_label(
    outputs: Path, both: str, root: Path, odd_names: list[str]
) -> None:
    _, rows, probabilities = expected(outputs, both, root)
    out = root / "out.csv"
    assert predict(outputs, both, root, "--probabilities", f"--out={out}") == 0
    header, *lines = read(out)
    assert header == ["ImageID", *odd_names]
    assert [line[0] for line in lines] == [row.id for row in rows]
    actual = np.array([[float(value) for value in line[1:]] for line in lines])
    assert actual == pytest.approx(probabilities, rel=1e-6)


def test_empty_captions_are_warned_of_and_predicted(
    outputs: Path, both: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read_rows(root / "test.csv")
    captions = ["", " ", *(row.caption for row in rows[2:])]
    write_rows(
        root / "test.csv",
        [(row.id, None, caption) for row, caption in zip(rows, captions, strict=True)],
    )
    assert predict(outputs, both, root, f"--out={root / 'out.csv'}") == 0
    message = "mmclf: 2 of 10 samples have no caption: an empty one stands in\n"
    assert capsys.readouterr().err == message
    assert len(read(root / "out.csv")) == 11


def test_a_run_that_left_no_model_is_named_once(
    outputs: Path, both: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = Tracker(f"sqlite:///{outputs}/mlflow.db", "mmclf", outputs)
    parent = tracker.start("sweep", {}, None).id
    assert predict(outputs, parent, root, f"--out={root / 'out.csv'}") == 2
    message = capsys.readouterr().err
    assert message == Naming(parent, "RUNNING", "'model'")
    assert message.count(parent) == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (shutil.rmtree, Naming("--root", "no folder")),
        (lambda root: (root / "test.csv").unlink(), Naming("no test.csv")),
        (
            lambda root: (root / "test.csv").write_text("ImageID,Caption\n"),
            Naming("test.csv", "no rows"),
        ),
        (lambda root: (root / "test.csv").write_text("a,b\n"), Naming("line 1", "'a,b'")),
        (
            lambda root: shutil.rmtree(root / "data"),
            Naming("no folder data"),
        ),
        (
            lambda root: (root / "test.csv").write_text("ImageID,Caption\n../x.jpg,a\n"),
            Naming("test.csv, line 2", "'../x.jpg'"),
        ),
        (
            lambda root: [path.unlink() for path in (root / "data").iterdir()],
            Naming("10 of 10"),
        ),
        (
            lambda root: next((root / "data").iterdir()).write_bytes(b"no picture"),
            Naming("1 of 10"),
        ),
    ],
)
def test_bad_input_leaves_the_older_file(
    outputs: Path,
    both: str,
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: object,
    words: Naming,
) -> None:
    assert callable(spoil)
    spoil(root)
    out = tmp_path / "out.csv"
    out.write_text("older")
    assert predict(outputs, both, root, f"--out={out}") == 2
    said = capsys.readouterr()
    assert said.err == words
    assert said.out == ""
    assert out.read_text() == "older"
    assert {path.name for path in tmp_path.iterdir()} <= {"out.csv", "root"}
    if not (root / "test.csv").exists() or not (root / "data").exists():
        assert said.err == Naming("DIR/test.csv", "ImageID,Caption")


def test_unreadable_images_are_five_and_a_count(
    outputs: Path, both: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted((root / "data").iterdir())
    for path in files[:7]:
        path.write_bytes(b"no picture")
    Image.new("RGB", (5, 5)).save(files[8])
    assert predict(outputs, both, root, f"--out={root / 'out.csv'}") == 2
    message = capsys.readouterr().err
    assert message == Naming("7 of 10", "2 more")
    assert [path.name in message for path in files] == [True] * 5 + [False] * 5


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["{both}", "--out={root}"], ["{root}", "folder"]),
        (["{both}", "--out={root}/nowhere/a.csv"], ["--out", "no folder", "{root}/nowhere"]),
        (["{both}", "seed=1"], ["seed=1"]),
        (["{both}", "devices=cpu"], ["devices", "'device'"]),
        (["{both}", "data.root={root}"], ["data.root"]),
        (["{both}", "{words}"], ["{both}", "{words}", "one RUN_ID", "`mmclf runs`"]),
        (["device=cpu"], ["one RUN_ID"]),
        (["f" * 32], ["ffffffffffffffffffffffffffffffff"]),
        (["{both}", "output_dir={root}/none"], ["no database", "{root}/none"]),
        (["{both}", "tracking.experiment=mmcl"], ["mmcl", "'mmclf'"]),
        (["{both}", "device=cuda:99"], ["device=cuda:99"]),
        (["{both}", "allow_targets=[os]"], ["allow_targets", "'os'"]),
    ],
)
def test_a_bad_command_line_is_answered(
    outputs: Path,
    both: str,
    words: str,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    facts: list[str],
) -> None:
    known = {"both": both, "words": words, "root": str(root)}
    given = [f"output_dir={outputs}", *(argument.format(**known) for argument in arguments)]
    if sum(word.startswith("output_dir=") for word in given) > 1:
        given = given[1:]
    assert main(["predict", f"--root={root}", f"--out={root / 'out.csv'}", *given]) == 2
    assert capsys.readouterr().err == Naming(*(fact.format(**known) for fact in facts))
    assert {path.name for path in root.iterdir()} == {"data", "test.csv"}


def test_help_shows_the_layout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["predict", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text == Naming("DIR/test.csv", "ImageID,Caption")
    assert "RUN_ID" in text
