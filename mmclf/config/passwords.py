"""No password in an address, on the command line or in a config: it would be written and shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmclf.config.walk import nodes
from mmclf.errors import InputError
from mmclf.storage.addresses import ADVICE, has_password

NAME = re.compile(r"[+~]*[\w./-]+", re.ASCII)


def check_words(words: Sequence[str]) -> None:
    """Raise InputError for words of a command line with a password in an address.

    What else may be wrong with them would be said with the word itself, so this comes first.
    """
    problems = []
    for word in words:
        if has_password(word):
            name, equals, _ = word.partition("=")
            is_name = bool(equals) and NAME.fullmatch(name) is not None
            problems.append(f"{name if is_name else 'an argument'}: {ADVICE}")
    if problems:
        raise InputError(*dict.fromkeys(problems))


def check_values(tree: object) -> list[str]:
    """A problem, without the value, for each setting with a password in an address."""
    return [
        f"{where if not has_password(where) else 'a key'}: {ADVICE}"
        for where, value in nodes(tree)
        if has_password(where) or (isinstance(value, str) and has_password(value))
    ]
