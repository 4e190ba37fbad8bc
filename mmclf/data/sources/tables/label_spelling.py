"""Notes on labels that are spelt so that they may not be what was meant."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from mmclf.data.problems import listed, shown

MISSING_WORDS = frozenset(["nan", "na", "n/a", "none", "null", "nil", "<na>"])


def spelling_notes(labels: Sequence[str], where: object) -> list[str]:
    """Notes on labels that read like missing values, or differ in case, spaces or leading zeros.

    Args:
        labels: each once.
        where: they are from, as a file.

    """
    notes = []
    missing = [shown(label) for label in labels if label.casefold() in MISSING_WORDS]
    if missing:
        notes.append(
            f"{where}: the labels {listed(missing)} read like missing values, and are taken as "
            "labels: empty their cells if they are none"
        )
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[_plain(label)].append(label)
    pairs = [" and ".join(map(shown, sorted(same))) for same in alike.values() if len(same) > 1]
    if pairs:
        notes.append(
            f"{where}: labels that differ in case, spaces or leading zeros alone are labels of "
            f"their own ({listed(pairs)}): write them alike, where it is the case by "
            "data.label_case=lower"
        )
    return notes


def _plain(label: str) -> str:
    """The label without what people do not see, or write either way."""
    text = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
    return (text.lstrip("0") or "0") if text.isascii() and text.isdigit() else text
