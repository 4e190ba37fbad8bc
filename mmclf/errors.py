"""What people are told: errors of their input, the nearest choice, and text that is safe to show.

Text of other people's is shown as it is, and moves or runs nothing.
"""

from __future__ import annotations

import difflib
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence

# How similar two names must be: of those of so few letters a wrong one changes a large part.
CUTOFF, SHORT_CUTOFF, SHORT = 0.6, 0.5, 4
# Controls, marks that turn the direction of text, halves of characters, ends of lines.
UNSHOWN = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])
JOINERS = "\u200c\u200d"  # some scripts, and emoji, are not spelt without these
# What a spreadsheet takes for the beginning of a formula, also as a wide character.
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
AS_TEXT = "'"  # before a cell, it makes a spreadsheet show what follows
# A line of a layout, which a message of ours may end with, is indented; others are someone else's.
_LAYOUT_LINE = re.compile(r"\n(?=  )")


class InputError(Exception):
    """Bad input or configuration, shown without a traceback.

    Args:
        problems: a line each; says what was found, where, what was expected and what to do.

    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class NothingTrackedError(InputError):
    """The tracking database, or the experiment in it, does not exist yet."""


class UnreachableError(InputError):
    """A tracking server or database does not answer."""


class TakenOverError(Exception):
    """Another process has taken over what this one was at, as it gave no sign of life."""


class LostProcessError(BaseException):
    """Another of the processes that make a run together has ended, and so this one has to.

    No Exception, as a sweep goes on after that of a job.
    """


class ArtifactError(InputError):
    """An artifact of a finished run is missing or damaged, not merely unreachable."""


def is_interruption(error: BaseException) -> bool:
    """Whether a process was told to end: by a KeyboardInterrupt, or by what it raised on its way.

    Or by SystemExit, which the handler of a signal raises, as a launcher's of a batch system.

    A library that is interrupted may raise another error while it cleans up, as SQLAlchemy does
    when a session changes its state.
    """
    chain: BaseException | None = error
    while chain is not None and not isinstance(chain, (KeyboardInterrupt, SystemExit)):
        chain = chain.__cause__ if chain.__cause__ is not None else chain.__context__
    return chain is not None


def folded(name: str) -> str:
    """A name without what people spell differently: its case, and `-`, `_` and spaces in it."""
    return re.sub(r"[\s_-]+", "", name.casefold())


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most similar to `name` in spelling, or None if none is similar enough.

    Where both lie below the same dotted name, what stands after it is compared.
    """
    parent = name[: name.rfind(".") + 1]
    own = folded(name.removeprefix(parent))
    by_name: dict[str, str] = {}
    for choice in choices:
        is_beside = choice.startswith(parent) and "." not in choice.removeprefix(parent)
        by_name.setdefault(folded(choice.removeprefix(parent) if is_beside else choice), choice)
    for given in (own, folded(name)):
        if given in by_name:
            return by_name[given]
    for given in dict.fromkeys((own, folded(name))):
        cutoff = CUTOFF if len(given) > SHORT else SHORT_CUTOFF
        matches = difflib.get_close_matches(given, by_name, n=1, cutoff=cutoff)
        if matches:
            return by_name[matches[0]]
    return None


def suggestion(name: str, choices: Iterable[str], by_meaning: str | None = None) -> str:
    """The end of an error message: the nearest choice, if any, and all valid ones.

    `by_meaning`: the choice that is meant, where that is known, whatever its spelling.
    """
    choices = sorted(set(choices))
    if not choices:
        return "there is none to choose"
    best = by_meaning if by_meaning is not None else nearest(name, choices)
    listed = ", ".join(choices)
    return f"did you mean {best!r}? valid: {listed}" if best is not None else f"valid: {listed}"


def printable(text: str) -> str:
    r"""The text in one line, with what a terminal would obey as in Python's `repr`.

    So `\x1b` stands for an escape character, and `\n` for the end of a line.
    """
    if text.isprintable():
        return text
    return "".join(
        repr(character)[1:-1] if _is_unshown(character) else character for character in text
    )


def _is_unshown(character: str) -> bool:
    return unicodedata.category(character) in UNSHOWN and character not in JOINERS


def printable_lines(text: str) -> str:
    """The text with its lines, each `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def printable_message(text: str) -> str:
    """A message with the lines of a layout that it ends with, if any; else in one line."""
    return "\n".join(map(printable, _LAYOUT_LINE.split(text)))


def spreadsheet_text(text: str) -> str:
    """The text with `'` before it if a spreadsheet would run it; numbers stay as they are.

    As OWASP describes it under "CSV Injection".
    """
    start = text.lstrip()
    return f"{AS_TEXT}{text}" if start.startswith(FORMULA) and not _is_number(start) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return len(text) == 1  # a dash, where there is no value
    return True


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def unforeseen(error: BaseException) -> str:
    """An error that no message was written for; further lines of its text are indented."""
    return printable_lines(f"{type(error).__name__}: {error}").strip().replace("\n", "\n  ")


def tell(text: str) -> None:
    """Write a message to standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"mmclf: {printable_message(text)}\n")


def relate(text: str) -> None:
    """Write to standard error how things go."""
    if sys.stderr is not None:
        sys.stderr.write(f"{printable(text)}\n")


def say(text: str) -> None:
    """Write a line of a result to standard output."""
    if sys.stdout is not None:
        sys.stdout.write(f"{printable(text)}\n")
