"""No control characters in keys and texts: a launcher's script would take a line for a command.

Escape sequences of terminals are among them, which would change what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmclf.config.walk import COPIES, nodes

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Columns and delimiters of others' tables, and the help of Hydra's, which nothing runs.
LINES_ALLOWED = ("data.", "hydra.help.", "hydra.hydra_help.")


def check_lines(tree: Mapping[str, Any]) -> list[str]:
    """A finding for each key and each text of a config that has a control character.

    What is wrong with Hydra's copies of overrides is said only if nothing else is.
    """
    settings = [*_findings(tree, lambda where: not where.startswith(COPIES))]
    return settings or [*_findings(tree, lambda where: where.startswith(COPIES))]


def _findings(tree: Mapping[str, Any], is_looked_at: Callable[[str], bool]) -> Iterator[str]:
    for where, value in nodes(tree):
        if not is_looked_at(where):
            continue
        key = where.rpartition(".")[2]
        if CONTROL.search(key):
            yield f"found the key {where!r}, expected one without control characters"
        elif isinstance(value, str):
            text = value
            if where.startswith(LINES_ALLOWED):
                text = value.replace("\n", "").replace("\t", "")
            if CONTROL.search(text):
                yield (
                    f"{where}: found {_shortened(value)}, expected one line without control "
                    "characters"
                )


def _shortened(value: str) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
