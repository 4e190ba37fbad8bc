"""The facts of a message: what it names, whatever the words between them."""

from __future__ import annotations

import re
from typing import Self


class Naming(str):
    """Equal to a text that names all of these in this order: numbers, names, keys, files.

    >>> "line 4: there is no 'dgo', did you mean 'dog'?" == Naming("line 4", "'dgo'", "'dog'")
    True
    >>> "line 14: there is no 'dgo'" == Naming("line 4")
    False
    """

    __slots__ = ()

    def __new__(cls, *facts: object) -> Self:
        """The pattern that such a text matches."""
        # A number is not a part of a longer one, nor a name of another.
        whole = (rf"(?<!\w){re.escape(str(fact))}(?!\w)" for fact in facts)
        return super().__new__(cls, "(?s)" + ".*".join(whole))

    @property
    def pattern(self) -> str:
        """The same as a plain text, for `match` of pytest's `raises`."""
        return str(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.search(self.pattern, other) is not None

    __hash__ = None  # type: ignore[assignment]  # equal to many texts

    def __repr__(self) -> str:
        return f"Naming({self.pattern!r})"
