"""`mmclf export`: the files that it leaves, and what it answers where it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from message_facts import Naming

import mmclf
from mmclf.cli.main import main


@pytest.mark.parametrize("words", [[], ["ab12", "cd34"]])
def test_one_run_is_exported(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *words, "output_dir=.", "--format", "onnx"]) == 2
    assert capsys.readouterr().err == Naming(*words, "RUN_ID", "mmclf runs")


def test_the_extra_is_named_where_it_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["export", "one", "--format", "onnx"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == Naming("onnxruntime", "mmclf[onnx]")


@pytest.mark.slow
def test_head_and_whole_are_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["data.train=60", "data.test=20", "trainer.epochs=1", f"output_dir={tmp_path}"]
    run_id = mmclf.run(mmclf.compose(small)).run_id
    out = tmp_path / "out"
    words = [run_id[:8], "--format", "onnx", "--out", str(out), f"output_dir={tmp_path}"]
    assert main(["export", *words]) == 0
    assert {path.name for path in out.iterdir()} == {"head.onnx", "model.onnx"}
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        str(out / "head.onnx"),
        str(out / "model.onnx"),
    ]
