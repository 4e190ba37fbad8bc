"""Names with what is said of them, in lines that fit a terminal of 80 columns."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping

WIDTH = 80


def two_columns(rows: Mapping[str, str]) -> str:
    """A name a line, and its text beside it, wrapped."""
    indent = max(map(len, rows), default=0) + 2
    lines = []
    for name, text in rows.items():
        lines += textwrap.wrap(
            f"{name:<{indent}}{text}",
            WIDTH,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def narrow_yaml(text: str) -> str:
    """A YAML file's text with its long comments wrapped; beside a value they go above its line."""
    lines = text.rstrip().splitlines()
    blocks = itertools.groupby(lines, key=lambda line: line.startswith("# "))
    narrow: list[str] = []
    for is_comment, block in blocks:
        group = list(block)
        if not is_comment:
            narrow += [part for line in group for part in _narrow(line)]
        elif all(len(line) <= WIDTH for line in group):
            narrow += group
        else:
            narrow += _comment(" ".join(line.removeprefix("# ") for line in group))
    return "\n".join(narrow)


def _narrow(line: str) -> list[str]:
    value, mark, comment = line.rpartition(" # ")
    # A " # " within quotes is part of the value.
    if len(line) <= WIDTH or not mark or value.count('"') % 2 or value.count("'") % 2:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return [*_comment(comment, indent), value.rstrip()]


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
