"""No control characters in keys and texts: a launcher's script would take a line for a command.

Escape sequences of terminals are among them, which would change what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmclf.config.walk import COPIES, nodes

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Columns and delimiters of others' tables, and the help of Hydra's, which nothing runs.
LINES_ALLOWED = ("data.", "hydra.help.", "hydra.hydra_help.")


def check_lines(tree: Mapping[str, Any]) -> list[str]:
    """A problem for each key and each text of a config that has a control character.

    Hydra's copies of overrides are left out: what they set is looked at where it is set.
    """
    return [*_problems(tree)]


def _problems(tree: Mapping[str, Any]) -> Iterator[str]:
    refused: tuple[str, ...] = ()
    for where, value in nodes(tree):
        if where.startswith((*COPIES, *refused)):
            continue
        if CONTROL.search(where):
            refused = (*refused, f"{where}.")  # what lies below has the key in its name
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
