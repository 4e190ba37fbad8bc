"""A study's result as one Markdown document."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up import CHANGES, result
from rich.console import Console

from mmclf.studies.report.publish import write_tables
from mmclf.studies.report.show import show
from mmclf.studies.report.words.answer import answer
from mmclf.studies.report.words.markdown import as_text, markdown
from mmclf.studies.report.words.method_words import method_paragraph


def test_it_holds_question_answer_notes_tables_and_method() -> None:
    study = result("ladder", CHANGES, notes=["one", "two"])
    lines = markdown(study).splitlines()
    assert lines[0] == f"# {study.definition.question}"
    answered = answer(study)
    assert as_text(answered.headline) in lines
    bullets = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    assert bullets == [as_text(line) for line in (*answered.bullets, "one", "two")]
    assert [line for line in lines if line.startswith("## ")] == [
        *("## Arms", "## Effects", "## Method")
    ]
    assert lines[-1] == as_text(method_paragraph(study))
    assert any(line.startswith("| improved |") for line in lines)


def test_the_file_and_what_is_printed_are_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = result()
    write_tables(tmp_path, study)
    show(study, Console(), "md")
    assert capsys.readouterr().out == markdown(study)
    assert (tmp_path / "results.md").read_text(encoding="utf-8") == markdown(study)


def test_markup_in_a_name_stays_text() -> None:
    assert as_text("A [b]\n`c`: d_e _f_ <g>") == r"A \[b\] \`c\`: d_e \_f\_ \<g>"


def test_no_run_at_all() -> None:
    study = result(seeds=1, missing=[(arm.name, 0) for arm in result().arms])
    alone = replace(study, notes=())
    assert "\n- " not in markdown(alone)
