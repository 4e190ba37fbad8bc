"""Compiles tables as a paper has them, by the packages that they name and no other."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TWO_COLUMNS = r"\documentclass[twocolumn]{article}"
PLAIN = r"\documentclass{article}"


def compiled(folder: Path, table: str, head: str = TWO_COLUMNS) -> str:
    """The log of a page with the table; skips without pdflatex, fails if it does not compile."""
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex")
    packages = "".join(re.findall(r"^% needs (\\usepackage\{[\w,]+\})$", table, flags=re.MULTILINE))
    text = f"{head}{packages}\\begin{{document}}x\n{table}\\end{{document}}\n"
    (folder / "a.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "a.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "a.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log
