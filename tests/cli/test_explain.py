"""`mmclf explain`: a picture of each sample, by a run whose image encoder is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming
from PIL import Image

import mmclf
from mmclf.cli.explain import file_name
from mmclf.cli.main import main

SMALL = ("data.train=60", "data.test=10", "trainer.epochs=1", "encode.precision=fp32")
VISION = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random", "image.size=32")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def run(outputs: Path) -> mmclf.Result:
    """A run on captions by TF-IDF, and on images by an encoder that it trains."""
    overrides = [*SMALL, *VISION, "vision.trainable=true", f"output_dir={outputs}"]
    return mmclf.run(mmclf.compose(overrides))


def explain(outputs: Path, *words: str) -> int:
    return main(["explain", *words, f"output_dir={outputs}", "device=cpu"])


def test_each_sample_gets_a_picture_and_its_labels_are_said(
    outputs: Path, run: mmclf.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids, out = run.ids["test"][:2], tmp_path / "new" / "why"
    assert explain(outputs, run.run_id, *ids, "--top", "2", f"--out={out}") == 0
    assert {path.name for path in out.iterdir()} == {f"{one}.png" for one in ids}
    with Image.open(out / f"{ids[0]}.png") as picture:
        assert min(picture.size) > 300
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if not line.startswith("  ")] == [
        str(out / f"{one}.png") for one in ids
    ]
    of_labels = [line for line in said if line.startswith("  ")]
    assert len(of_labels) == 4
    assert all(line == Naming("vision", "text") for line in of_labels)


def test_samples_of_another_source_are_those_that_predict_reads(
    outputs: Path, run: mmclf.Result, tmp_path: Path
) -> None:
    (demo,) = (path.parent for path in outputs.glob("store/demo/*/test.csv"))
    one = run.ids["test"][0]
    assert explain(outputs, run.run_id, one, f"--root={demo}", f"--out={tmp_path}") == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{one}.png"]


@pytest.mark.parametrize("words", [["17.jpq"], []])
def test_an_id_that_there_is_not_is_bad_input(
    outputs: Path,
    run: mmclf.Result,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert explain(outputs, run.run_id, *words, f"--out={tmp_path / 'out'}") == 2
    (line,) = capsys.readouterr().err.splitlines()
    if words:
        assert line == Naming("70", "17.jpq", "17.jpg")
        assert len(line) < 200
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_bad_input(
    outputs: Path, run: mmclf.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    assert explain(outputs, run.run_id, run.ids["test"][0], f"--out={tmp_path / 'out'}") == 2
    assert capsys.readouterr().err == Naming("--out", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("plain", ["17.jpg", "a-b_c.1"])
def test_a_plain_id_is_the_name_of_its_file(plain: str) -> None:
    assert file_name(plain) == plain


@given(st.text(), st.text())
def test_a_file_name_leads_nowhere_and_is_that_of_one_id(first: str, second: str) -> None:
    for name in map(file_name, (first, second)):
        assert name
        assert Path(name).name == name
        assert not name.startswith(".")
        assert len(name) < 100
    assert first == second or file_name(first) != file_name(second)
