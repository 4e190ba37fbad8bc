"""Names as MLflow admits them."""

from __future__ import annotations

import hashlib
import re

LONGEST_KEY = 250


def key_of(name: str) -> str:
    """`name` as MLflow admits it in a key: any other character as its code, `_x26_` for `&`.

    A slash after the second one belongs to a label's name, and is such a character too.
    """
    *groups, last = name.split("/", maxsplit=2)
    odd = r"." if set(last) == {"."} else r"[^\w\-. :]"
    key = "/".join([*groups, re.sub(odd, lambda found: f"_x{ord(found[0]):x}_", last)])
    if len(key) <= LONGEST_KEY:
        return key
    # Two long names that begin alike are still told apart.
    told = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{key[: LONGEST_KEY - len(told) - 1]}-{told}"
