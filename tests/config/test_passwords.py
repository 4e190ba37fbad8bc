"""An address with a password ends a command before anything is written or printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_lines import HERE

import mmclf
from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.config.passwords import check_values, check_words
from mmclf.errors import InputError

SECRET = "swordfish7"
ADDRESS = f"http://anna:{SECRET}@127.0.0.1:9"


def silent(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says that is refused, without the password, and leaves nothing behind."""
    before = sorted(folder.rglob("*"))
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert SECRET not in printed.out + printed.err
    assert printed.out == ""
    assert sorted(folder.rglob("*")) == before
    return printed.err


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        f"tracking.uri={ADDRESS}",
        f"tracking.uri='{ADDRESS}'",
        f"++tracking.uri={ADDRESS}",
        f"tracking={{uri:'{ADDRESS}'}}",
        f"tracking.uri=http\\://anna\\:{SECRET}@h",
        f"tracking.uri=http://anna%3A{SECRET}@h",
        f"tracking.uri=http://anna:{SECRET},x@h",
        f"tracking.uri=postgresql:///db?user=anna&password={SECRET}",
        f"traking.uri={ADDRESS}",
        f"text.name={ADDRESS}",
        f"{ADDRESS}?x=1",
        ADDRESS,
    ],
)
@pytest.mark.parametrize(
    "command",
    [[], ["-m"], ["--cfg", "job"], ["report"], ["runs"], ["predict", "0"], ["plan"], ["doctor"]],
)
@pytest.mark.hostile("secrets")
def test_a_command_is_refused(
    command: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = silent([*command, line], tmp_path, capsys)
    assert "MLFLOW_TRACKING_USERNAME" in said
    assert "PGPASSWORD" in said


@pytest.mark.parametrize("multirun", [[], ["-m"]])
@pytest.mark.hostile("secrets")
def test_a_config_file_is_refused(
    multirun: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"defaults: [config]\ntracking:\n  uri: {ADDRESS}\nhead: {{hidden: -1}}\n"
    (tmp_path / "own.yaml").write_text(text)
    said = silent(["--config-dir", ".", "--config-name", "own", *multirun], tmp_path, capsys)
    assert said.startswith("mmclf: tracking.uri: ")


@pytest.mark.hostile("secrets")
def test_a_password_that_is_put_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USER", f"anna:{SECRET}")
    said = silent(["tracking.uri=http://${oc.env:USER}@h"], tmp_path, capsys)
    assert said.startswith("mmclf: tracking.uri: ")


@pytest.mark.hostile("secrets")
def test_of_what_is_wrong_the_password_alone_is_said() -> None:
    with pytest.raises(InputError) as caught:
        compose([*HERE, "seed=-1", f"tracking.uri={ADDRESS}"])
    assert len(caught.value.problems) == 1
    assert SECRET not in str(caught.value)


def test_mlflows_variables_are_honoured_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "of the group")
    tracking = compose(HERE).config.tracking
    assert (tracking.uri, tracking.experiment) == ("sqlite:///other.db", "of the group")
    said = capsys.readouterr().err
    assert "MLFLOW_TRACKING_URI" in said
    assert "sqlite:///other.db" in said
    assert "MLFLOW_EXPERIMENT_NAME" in said
    given = ["tracking.uri=sqlite:///x.db", "tracking.experiment=y"]
    tracking = compose([*HERE, *given]).config.tracking
    assert (tracking.uri, tracking.experiment) == ("sqlite:///x.db", "y")
    assert capsys.readouterr().err == ""


def test_without_them_runs_go_to_the_output_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    tracking = compose([*HERE, "output_dir=o"]).config.tracking
    assert (tracking.uri, tracking.experiment) == ("sqlite:///o/mlflow.db", "mmclf")
    assert capsys.readouterr().err == ""


@pytest.mark.hostile("secrets")
def test_mlflows_variables_are_open_to_these_settings_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    with pytest.raises(InputError, match=r"tracking\.arm: .*MLFLOW_TRACKING_URI"):
        compose([*HERE, "tracking.arm=${oc.env:MLFLOW_TRACKING_URI}"])


@pytest.mark.hostile("secrets")
def test_a_password_in_mlflows_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", ADDRESS)
    for command in ([], ["-m", "seed=0,1"], ["runs"], ["report"]):
        assert silent(command, tmp_path, capsys).startswith("mmclf: tracking.uri: ")
    with pytest.raises(InputError) as caught:
        mmclf.load("0" * 32)
    assert SECRET not in str(caught.value)


def test_prediction_follows_mlflows_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(InputError, match=r"no database at sqlite:///.*/other\.db"):
        mmclf.load("0" * 32)
    with pytest.raises(InputError, match=r"no database at sqlite:///here\.db"):
        mmclf.load("0" * 32, tracking_uri="sqlite:///here.db")


def test_the_names_of_settings_are_said_and_no_values() -> None:
    (message,) = check_values({"a": {"b": ["x", ADDRESS]}, "c": "sqlite:///x"})
    assert message.startswith("a.b.1: ")
    (message,) = check_values({ADDRESS: 1})
    assert message.startswith("a key: ")
    check_words(["tracking.uri=sqlite:///x", "seed=1"])
