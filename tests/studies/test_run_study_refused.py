"""A study that cannot be run runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mmclf.cli.main import main
from mmclf.config.study_schema import Study


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["study=threshhold"], "did you mean 'threshold'?"),
        (["study=threshold", "threshold=fixed"], "study=threshold varies threshold"),
        (["study=threshold", "loss=bce,focal"], "loss=bce,focal"),
        (["study=loss,threshold"], "study"),
        (["study=threshold", "data=competition", "data.root=nowhere"], "nowhere"),
    ],
)
def test_bad_input_exits_2_and_runs_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "vision=none", "text=tfidf", f"output_dir={tmp_path}"]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("margin", ["-0.001", "0.1001", "nan", "half"])
def test_a_margin_that_is_none_is_answered_in_a_line(
    margin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = ["study=threshold", f"++study.margin={margin}", "vision=none", "text=tfidf"]
    assert main([*study, f"output_dir={tmp_path}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "study.margin: found " in line
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("margin", [0, 0.0, 0.1])
def test_a_margin_at_either_end_is_one(margin: float) -> None:
    asked = {"question": "Which?", "design": "grid", "factors": {"loss": ["bce", "focal"]}}
    assert TypeAdapter(Study).validate_python(asked | {"margin": margin}).margin == margin


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("study.max_seeds=2", "study.max_seeds"),
        ("study.max_seeds=many", "study.max_seeds"),
        ("study.until=decide", "study.until"),
        ("study.untill=decided", "study.untill"),
    ],
)
def test_what_no_study_stops_by_is_answered_in_a_line(
    given: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["study=threshold", given, "vision=none", "text=tfidf", f"output_dir={tmp_path}"]
    for command in (asked, ["plan", *asked]):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert where in line
    assert not (tmp_path / "mlflow.db").exists()
