"""The facts of a message: what it names, whatever the words between them."""

from __future__ import annotations

import re


class Naming:
    """Equal to a text that names all of these in this order: numbers, names, keys, files.

    >>> "line 4: there is no 'dgo', did you mean 'dog'?" == Naming("line 4", "'dgo'", "'dog'")
    True
    >>> "line 14: there is no 'dgo'" == Naming("line 4")
    False
    """

    def __init__(self, *facts: object) -> None:
        # A number is not a part of a longer one, nor a name of another.
        whole = (rf"(?<!\w){re.escape(str(fact))}(?!\w)" for fact in facts)
        self.pattern = "(?s)" + ".*".join(whole)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.search(self.pattern, other) is not None

    __hash__ = None  # type: ignore[assignment]  # equal to many texts

    def __repr__(self) -> str:
        return f"Naming({self.pattern!r})"
