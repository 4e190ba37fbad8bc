"""`mmclf data init`: what it writes composes, passes the check, and is read as the file was."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming
from omegaconf import OmegaConf

from mmclf.cli.columns import WIDTH
from mmclf.cli.data import level_text
from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.data.guess.settings import Guess, Setting
from mmclf.pipeline.run_data import load_samples

ROWS = {
    "text": [f"a text with the number {i}" for i in range(10)],
    "tags": ["red|deep blue", "deep blue", "red", "green|red", "green"] * 2,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a table in `sets`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets").mkdir()
    pd.DataFrame(ROWS).to_csv("sets/my tags.csv", index=False)
    return tmp_path


def test_a_table_is_named_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "init", "sets/my tags.csv"]) == 0
    printed = capsys.readouterr()
    file = folder / "my_conf" / "data" / "my_tags.yaml"
    written = yaml.safe_load(file.read_text())
    assert written == {
        "defaults": ["table"],
        "root": str(folder / "sets"),
        "file": "my tags.csv",
        "image_column": None,
        "label_column": "tags",
        "separator": "|",
        "caption_column": "text",
    }
    lines = printed.out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert {line.split()[0] for line in lines if line} >= {*written} - {"defaults", "root"}
    assert "10 samples, 3 labels" in printed.out
    assert lines[-1] == "mmclf --config-dir my_conf data=my_tags"
    assert printed.err == ""
    # As the command that is printed does it, from another folder as well.
    os.chdir(folder / "sets")
    composed = compose(["data=my_tags"], folder / "my_conf")
    samples = load_samples(composed.config)
    assert composed.choices["data"] == "my_tags"
    assert samples.captions == tuple(ROWS["text"])
    assert samples.label_ids == ("deep blue", "green", "red")


def test_a_file_that_exists_is_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "elsewhere" / "data" / "mine.yaml"
    arguments = ["data", "init", "sets/my tags.csv", "--name", "mine", "--config-dir", "elsewhere"]
    assert main(arguments) == 0
    assert "mmclf --config-dir elsewhere data=mine" in capsys.readouterr().out
    file.write_text("own: 1")
    assert main(arguments) == 2
    assert f"{Path('elsewhere', 'data', 'mine.yaml')} exists" in capsys.readouterr().err
    assert file.read_text() == "own: 1"
    # The folder may be named before the command, too.
    assert main(["--config-dir", "before", "data", "init", "sets/my tags.csv"]) == 0
    assert (folder / "before" / "data" / "my_tags.yaml").exists()


@pytest.mark.parametrize(
    ("file", "name"), [("null.csv", "data_null"), ("2024 a.csv", "data_2024_a"), ("é.csv", "data_")]
)
def test_names_that_are_no_levels_names(folder: Path, file: str, name: str) -> None:
    Path("sets/my tags.csv").rename(file)
    assert main(["data", "init", file]) == 0
    assert load_samples(compose([f"data={name}"], folder / "my_conf").config)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["table", "a b", "../x", "null", "", "é"])
def test_names_that_are_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "init", "sets/my tags.csv", f"--name={name}"]) == 2
    assert "--name" in capsys.readouterr().err
    assert not Path("my_conf").exists()


def test_what_cannot_be_guessed_is_written_to_be_filled_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"text": ROWS["text"]}).to_csv("bare.csv", index=False)
    assert main(["data", "init", "bare.csv"]) == 2
    file = folder / "my_conf" / "data" / "bare.yaml"
    assert yaml.safe_load(file.read_text())["label_column"] == "???"
    messages = capsys.readouterr().err
    assert "valid: text" in messages
    assert str(Path("my_conf", "data", "bare.yaml")) in messages


@pytest.mark.parametrize("arguments", [["data"], ["data", "look", "x"], ["data", "init"]])
def test_arguments_that_are_wrong(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_nothing_is_written_for_a_file_that_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "init", "gone.csv"]) == 2
    assert capsys.readouterr().err == Naming("gone.csv")
    assert not (folder / "my_conf").exists()


def test_coco_runs(coco_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(coco_root)
    assert main(["data", "init", ".", "--name", "mine"]) == 0
    samples = load_samples(compose(["data=mine"], Path("my_conf")).config)
    assert samples.label_names == ("bicycle", "traffic light", "dog", "t-shirt")


@pytest.mark.usefixtures("no_network")
def test_a_columns_name_is_text_whatever_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "told")
    names = ["${oc.env:SECRET}", "\\${x} # y: [z", "label\n_target_: os.system"]
    for number, name in enumerate(names):
        frame = pd.DataFrame({"text": ROWS["text"], name: ["a", "a b"] * 5})
        frame.to_csv(f"t{number}.csv", index=False)
        assert main(["data", "init", f"t{number}.csv"]) == 0
        node = compose([f"data=t{number}"], folder / "my_conf").tree["data"]
        assert node["label_column"] == name
        assert node["_target_"] == "mmclf.data.sources.table.load"


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\\${}\n\t'\"#: "))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.lists(TEXTS, max_size=3), st.dictionaries(st.sampled_from("abc"), TEXTS))
def test_any_value_is_read_back_as_it_was(
    text: str, names: list[str], files: dict[str, str]
) -> None:
    wanted = (("text", text), ("names", names), ("files", files), ("none", None))
    settings_of = tuple(Setting(key, value, "why") for key, value in wanted)
    written = level_text(Guess("table", "found", Path("/r"), settings_of), text)
    node = OmegaConf.to_container(OmegaConf.create(written), resolve=True)
    assert isinstance(node, dict)
    assert {key: node[key] for key, _ in wanted} == dict(wanted)
