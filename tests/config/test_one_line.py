"""No setting has a control character, which a launcher's script or a terminal would obey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_lines import HERE, problems
from hypothesis import given
from hypothesis import strategies as st

from mmclf.config.compose import compose
from mmclf.config.one_line import check_lines

CHARACTERS = ["\n", "\r", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028"]


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("path", ["hydra.launcher.partition", "text.name", "study.factors.x.0"])
@pytest.mark.hostile("configuration: places and lines")
def test_a_control_character_is_found_wherever_it_stands(character: str, path: str) -> None:
    value = f"debug{character}rm -rf ."
    *parents, last = path.split(".")
    node: dict[str, Any] = {last: value}
    as_key: dict[str, Any] = {value: {}}
    for parent in reversed(parents):
        node, as_key = {parent: node}, {parent: as_key}
    (message,) = check_lines(node)
    assert message.startswith(f"{path}: ")
    (message,) = check_lines(as_key)
    assert message.startswith("found the key ")


@given(st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp"])))
def test_what_is_one_line_passes(text: str) -> None:
    assert check_lines({"a": [text], "b": {"x": text}}) == []


@given(st.text(), st.characters(categories=["Cc"]), st.text())
def test_what_is_found_is_said_without_the_character(before: str, one: str, after: str) -> None:
    (message,) = check_lines({"a": f"{before}{one}{after}"})
    assert one not in message


def test_others_tables_have_what_they_have() -> None:
    assert check_lines({"data": {"delimiter": "\t", "columns": ["a\nb"]}}) == []
    assert check_lines({"data": {"delimiter": "\x1b"}}) != []
    config = compose(
        ["data=table", "data.root=x", "data.file=y", "data.label_column='a\nb'"]
    ).config
    assert config.data.part["label_column"] == "a\nb"


@pytest.mark.parametrize("multirun", [False, True])
@pytest.mark.hostile("configuration: places and lines")
def test_a_launchers_script_has_the_lines_that_it_has(tmp_path: Path, multirun: bool) -> None:
    (tmp_path / "experiment").mkdir()
    text = '# @package _global_\nhydra:\n  launcher:\n    partition: "debug\\nrm -rf ."\n'
    (tmp_path / "experiment" / "lines.yaml").write_text(text)
    messages = problems("experiment=lines", config_dir=tmp_path, multirun=multirun)
    assert any("hydra.launcher" in problem or "partition" in problem for problem in messages)


@pytest.mark.hostile("configuration: places and lines")
def test_an_override_has_one_line() -> None:
    (message,) = problems("tracking.experiment='a\nb'")
    assert message.startswith("tracking.experiment: ")
    assert compose([*HERE, "tracking.experiment=ab"]).config.tracking.experiment == "ab"
