"""Names of metrics and parameters in the form that MLflow accepts."""

from __future__ import annotations

import hashlib
import re

LONGEST_KEY = 250
RUN_ID = re.compile(r"[\w-]+", re.ASCII)  # a folder may be called after it


def key_of(name: str) -> str:
    """`name` as a valid key in MLflow; other characters are escaped, as `_x26_` for `&`.

    From the third slash on, slashes belong to a label's name and are escaped, too.
    """
    *groups, last = name.split("/", maxsplit=2)
    invalid = r"." if set(last) == {"."} else r"[^\w\-. :]"
    key = "/".join([*groups, re.sub(invalid, lambda match: f"_x{ord(match[0]):x}_", last)])
    if len(key) <= LONGEST_KEY:
        return key
    # Keeps long names distinct that share a prefix.
    suffix = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{key[: LONGEST_KEY - len(suffix) - 1]}-{suffix}"
