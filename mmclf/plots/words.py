"""Names and numbers as the answer, the plots and the page of a study say them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

LONGEST_QUOTED = 60
NO_VALUE = "—"
NO_CHARACTERS = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
CONTROLS = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{NO_CHARACTERS}]")


def plain(text: str) -> str:
    """`text` without characters that a page cannot hold."""
    # A lone surrogate comes from bytes that were no UTF-8, and cannot be written as such.
    whole = "\n".join(text.splitlines()).encode("utf-8", "replace").decode("utf-8")
    return CONTROLS.sub("\ufffd", whole)


def shortened(text: str, most: int) -> str:
    """`text` in one line of at most so many characters, without its middle if it is longer.

    Names of arms differ at both ends.
    """
    text = " ".join(plain(text).split())
    if len(text) <= most:
        return text
    start = most // 2
    return f"{text[:start].rstrip()}…{text[len(text) - (most - start - 1) :].lstrip()}"


def quoted(name: str) -> str:
    """A name within a sentence."""
    return f"“{shortened(name, LONGEST_QUOTED)}”"


def capital(text: str) -> str:
    """`text` as a sentence begins."""
    return f"{text[:1].upper()}{text[1:]}"


def listed(words: Sequence[str], most: int | None = None) -> str:
    """As `a, b and c`; of more than `most`, the first ones and how many more there are."""
    if most is not None and len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counted(count: int, noun: str) -> str:
    """As `1 run` or `5 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def points(value: float, *, signed: bool = True) -> str:
    """A difference of F1 in points, which are hundredths; `not known` of nan."""
    if math.isnan(value):
        return "not known"
    text = f"{100 * value:+.2f}" if signed else f"{100 * value:.2f}"
    return "0.00" if float(text) == 0 else text


def margin_words(margin: float) -> str:
    """A margin of F1 in points: `half a point`, `1 point`, `0.3 points`."""
    size = round(100 * margin, 9)
    if size == 0.5:
        return "half a point"
    return f"{size:g} point" if size == 1 else f"{size:g} points"


def interval(low: float, high: float, *, signed: bool = True) -> str:
    """The ends of an interval of differences, in points."""
    if math.isnan(low) or math.isnan(high):
        return "not known"
    return f"{points(low, signed=signed)} to {points(high, signed=signed)}"


def score(value: float) -> str:
    """An F1 or an mAP in points, which are hundredths; a dash where there is none."""
    return NO_VALUE if math.isnan(value) else f"{100 * value:.2f}"
