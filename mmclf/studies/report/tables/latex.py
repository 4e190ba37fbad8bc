"""Tables as LaTeX: rules of booktabs, minus signs, and a float with caption and label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# With what comes with these, and nothing else, a table compiles.
PACKAGES = ("booktabs", "tabularx", "xcolor")
ONE_COLUMN = 4  # columns, beyond which a table is as wide as the page
NO_VALUE = "--"
LAST_LATIN = 0x17F  # of the letters that pdfLaTeX knows without a package
GREY = "black!55"
SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        # A name may be broken there, as it may be longer than its column.
        "_": r"\_\allowbreak{}",
        "=": r"=\allowbreak{}",
        # At the beginning of a row these would be an argument of the command before it, its star.
        "[": "{[}",
        "*": "{*}",
        **{character: f"\\{character}" for character in "&%$#{}"},
    }
)
NUMBER = re.compile(r"(?:[<>] ?)?[-+\N{MINUS SIGN}]?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class LatexColumn:
    """A column: its heading and its cells, all LaTeX already."""

    heading: str
    cells: Sequence[str]
    is_text: bool = False


def latex_text(text: str) -> str:
    """A text in which nothing is a command."""
    return text.translate(SPECIAL)


def latex_number(text: str) -> str:
    r"""A number as text, `-1.5` or `< 0.001`, in LaTeX: `$-1.5$`, `$< 0.001$`; a text as it is."""
    if NUMBER.fullmatch(text) is None:
        return NO_VALUE if text in ("-", "", "nan") else latex_text(text)
    return f"${text.replace(chr(0x2212), '-')}$" if text[0] in "<>-+\N{MINUS SIGN}" else text


def bold(cell: str) -> str:
    """A cell in bold, formulas too."""
    inner = cell.replace("$", "")
    return rf"$\mathbf{{{inner}}}$" if "$" in cell else rf"\textbf{{{cell}}}"


def grey(cell: str) -> str:
    """A cell in grey."""
    return rf"\textcolor{{{GREY}}}{{{cell}}}"


def tabular(columns: Sequence[LatexColumn]) -> str:
    """The bare table, as wide as its cells."""
    alignment = "".join("l" if column.is_text else "r" for column in columns)
    return _environment("tabular", f"{{{alignment}}}", columns)


def table_float(columns: Sequence[LatexColumn], caption: str, label: str) -> str:
    r"""The table as a float, as wide as a column of the page, or beyond 4 columns as the page.

    The first column takes the room that is left, and breaks its names. `caption` is LaTeX; `label`
    is what `\ref` takes, `tab:` before it.
    """
    body = _environment("tabularx", _stretched(columns), columns).rstrip("\n")
    kind = "table" if len(columns) <= ONE_COLUMN else "table*"
    safe_label = re.sub(r"[^A-Za-z0-9:.-]+", "-", label)
    has_foreign = any(ord(character) > LAST_LATIN for character in caption + body)
    lines = [
        *(["% has letters that pdfLaTeX lacks: compile by LuaLaTeX"] if has_foreign else []),
        f"% needs \\usepackage{{{','.join(PACKAGES)}}}",
        rf"\begin{{{kind}}}[t]",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{safe_label}}}",
        r"\smallskip\footnotesize\setlength{\tabcolsep}{4pt}",
        body,
        rf"\end{{{kind}}}",
    ]
    return "\n".join(lines) + "\n"


def _stretched(columns: Sequence[LatexColumn]) -> str:
    """The arguments of a table as wide as a line, whose first column takes what is left."""
    rest = "".join("l" if column.is_text else "r" for column in columns[1:])
    return rf"{{\linewidth}}{{@{{}}>{{\raggedright\arraybackslash}}X{rest}@{{}}}}"


def _environment(name: str, arguments: str, columns: Sequence[LatexColumn]) -> str:
    rows = zip(*(column.cells for column in columns), strict=True)
    lines = [
        rf"\begin{{{name}}}{arguments}",
        r"\toprule",
        rf"{' & '.join(column.heading for column in columns)} \\",
        r"\midrule",
        *(rf"{' & '.join(row)} \\" for row in rows),
        r"\bottomrule",
        rf"\end{{{name}}}",
    ]
    return "\n".join(lines) + "\n"
