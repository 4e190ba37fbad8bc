"""Tables as LaTeX."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.studies.report.tables.latex import (
    LatexColumn,
    bold,
    latex_number,
    latex_text,
    table_float,
    tabular,
)

NAMES = LatexColumn("Arm", ["a", "b"], is_text=True)
NUMBERS = LatexColumn("F1", ["1", "2"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-1.60", "$-1.60$"),
        ("\N{MINUS SIGN}1.60", "$-1.60$"),
        ("+0.3", "$+0.3$"),
        ("< 0.001", "$< 0.001$"),
        ("0.020", "0.020"),
        ("-", "--"),
        ("", "--"),
        ("nan", "--"),
        ("4_x", r"4\_\allowbreak{}x"),
    ],
)
def test_a_number_has_the_signs_of_a_formula(text: str, shown: str) -> None:
    assert latex_number(text) == shown


def test_bold_reaches_into_a_formula() -> None:
    assert (bold("1.5"), bold("$-1.5$")) == (r"\textbf{1.5}", r"$\mathbf{-1.5}$")


@given(st.text())
def test_nothing_of_a_text_is_a_command(text: str) -> None:
    ours = r"\\text(backslash|asciitilde|asciicircum|less|greater|bar)\{\}"
    left = re.sub(
        rf"{ours}|\\_\\allowbreak\{{\}}|=\\allowbreak\{{\}}|\\[&%$#{{}}]", "", latex_text(text)
    )
    left = left.replace("{[}", "").replace("{*}", "")
    assert not set(left) & set('\\~^<>|"_=[*&%$#{}')


def test_the_rules_are_those_of_booktabs() -> None:
    assert tabular([NAMES, NUMBERS]).splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Arm & F1 \\",
        r"\midrule",
        r"a & 1 \\",
        r"b & 2 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


@pytest.mark.parametrize(("count", "kind"), [(4, "table"), (5, "table*")])
def test_beyond_four_columns_a_float_is_as_wide_as_the_page(count: int, kind: str) -> None:
    lines = table_float([NAMES, *[NUMBERS] * (count - 1)], "A caption.", "a b/c").splitlines()
    assert lines[0] == r"% needs \usepackage{booktabs,tabularx,xcolor}"
    assert lines[1] == rf"\begin{{{kind}}}[t]"
    assert lines[2:4] == [r"\caption{A caption.}", r"\label{tab:a-b-c}"]
    assert lines[-1] == rf"\end{{{kind}}}"


def test_letters_that_pdflatex_lacks_are_said() -> None:
    first = table_float([NAMES, NUMBERS], "Γάτα", "x").splitlines()[0]
    assert "LuaLaTeX" in first
    assert "LuaLaTeX" not in table_float([NAMES, NUMBERS], "Ærø, née", "x")
