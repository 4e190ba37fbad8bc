"""Names that someone else chose, in every form of a table."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from made_up import LOSSES, result
from rich.console import Console

from mmclf.studies.report.show import show
from mmclf.studies.report.tables.rendering import SUFFIXES, print_rich, render
from mmclf.studies.report.tables.safe_text import markdown_text

ODD = (
    "\x1b[31mred\x1b[0m",
    "two\nlines\r",
    "=HYPERLINK('x')",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:b) `c` | d",
    "*star [bracket] \\textbf{x} \\input{/etc/passwd} 50% & _ ^ ~ # $",
    "\u202eevil\u2066",
)
TABLE = pd.DataFrame({"Arm\x1b[2J": ODD, "@f1": [float(row) / 8 - 0.5 for row in range(len(ODD))]})


def controls(text: str) -> set[str]:
    return set(re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text))


@pytest.mark.parametrize("form", [*SUFFIXES, "tsv"])
@pytest.mark.hostile("terminals, tables, pages")
def test_no_form_holds_controls_or_further_lines(form: str) -> None:
    rendered = render(TABLE, form)
    assert controls(rendered) <= {"\t"}
    assert rendered.count("\t") == (len(ODD) + 1 if form == "tsv" else 0)
    extra = {"md": 2, "tex": 6}.get(form, 1)
    assert len(rendered.splitlines()) == len(ODD) + extra


@pytest.mark.hostile("terminals, tables, pages")
def test_a_terminal_gets_no_controls() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=True, color_system=None)
    print_rich(TABLE, console, "Title")
    assert controls(re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())) == set()
    assert r"\x1b[31mred\x1b[0m" in out.getvalue()


@pytest.mark.hostile("terminals, tables, pages")
def test_csv_holds_no_formula_but_numbers_as_they_are() -> None:
    header, *rows = csv.reader(io.StringIO(render(TABLE, "csv")))
    assert header == [r"Arm\x1b[2J", "'@f1"]
    assert rows[2][0] == "'=HYPERLINK('x')"
    assert [float(row[1]) for row in rows] == TABLE["@f1"].tolist()


@pytest.mark.hostile("terminals, tables, pages")
def test_markdown_holds_no_html_link_or_code() -> None:
    lines = render(TABLE, "md").splitlines()
    assert lines[5].startswith("| &lt;img src=x onerror=alert(1)> |")
    assert lines[6].startswith(r"| [a\](javascript:b) \`c\` \| d |")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p < 0.05 & q > 1", "p < 0.05 & q > 1"),
        ("a</td>", "a&lt;/td>"),
        ("<!-- x", "&lt;!-- x"),
        ("<https://a.b>", "&lt;https://a.b>"),
        ("&lt;b&#62; R&D", "&amp;lt;b&amp;#62; R&D"),
        ("[x][y]", r"[x\][y]"),
        ("lr [1e-3]", "lr [1e-3]"),
    ],
)
def test_what_is_no_markup_is_left(text: str, shown: str) -> None:
    assert markdown_text(text) == shown


@pytest.mark.hostile("terminals, tables, pages")
def test_latex_runs_no_command_of_a_name() -> None:
    rendered = render(TABLE, "tex")
    ours = {"begin", "end", "toprule", "midrule", "bottomrule"}
    commands = set(re.findall(r"\\([A-Za-z]+)", rendered))
    signs = {
        f"text{sign}" for sign in ("backslash", "asciitilde", "asciicircum", "less", "greater")
    }
    assert commands <= {*ours, *signs, "textbar", "allowbreak"}
    body = [line for line in rendered.splitlines() if not re.match(r"\\[a-z]", line)]
    # A row, and nothing else, ends by two backslashes; columns, and nothing else, are divided by &.
    plain = [re.sub(r"\\[&%$#_{}]", "", line) for line in body]
    assert all(line.count("&") == 1 and line.endswith(r"\\") for line in plain)
    # What is a formula is a number.
    formulas = [re.sub(r"\$-\d\.\d+\$", "", line) for line in plain]
    assert not [line for line in formulas if re.search(r"[%$#_^~]", line)]
    assert [line[:3] for line in body if "star" in line] == ["{*}"]


@pytest.mark.slow
@pytest.mark.hostile("terminals, tables, pages")
def test_latex_compiles(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex")
    table = render(TABLE, "tex")
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
    (tmp_path / "a.tex").write_text(f"{head}{table}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


@pytest.mark.hostile("terminals, tables, pages")
def test_a_studys_words_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    named = {"\x1b[2Jloss": [f"{name}\n\x1b]0;x\x07" for name in LOSSES["loss"]]}
    show(result("grid", named), Console())
    assert controls(capsys.readouterr().out) == set()
