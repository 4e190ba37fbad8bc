"""Passwords in addresses, found in whatever form, so that none is tracked, written or printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from mmclf.errors import InputError

# An address is unquoted as often as libraries between us and a server may do.
UNQUOTED = 3
START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{1,2}")
WEB = ("http", "https")
AUTHORITY = re.compile(r"[^/?#\s]*")
PORT = re.compile(r"[^:]*(:\d*)?")
# As SQLAlchemy reads it: anything but an @ may stand in a password.
DATABASE_USER = re.compile(r"[^:/@\s]*:[^@]+@")
QUERY = re.compile(
    r"[?&;][\w.-]*(?:passw(?:or)?d|pwd|passphrase|secret|api[_-]?key|access[_-]?key|credential"
    r"|token(?!iz))[\w.-]*\s*=\s*[^&;\s]",
    re.IGNORECASE,
)
ADVICE = (
    "the address has a password in it, which would be written down and shown: leave it out, and "
    "give it in the environment, for a server as MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD or MLFLOW_TRACKING_TOKEN, for a database as PGPASSWORD, or in its "
    "password file"
)


def has_password(text: str) -> bool:
    """Whether an address in `text` has a password or a token, as it stands or escaped.

    >>> has_password("http://anna:swordfish@server:5000"), has_password("http://server:5000")
    (True, False)
    """
    if ":" not in text and "%" not in text:
        return False  # as almost all settings, several times in a composition
    return any(
        _has_user(match[1].lower(), form[match.end() :]) or QUERY.search(form, match.end())
        for form in _forms(text)
        for match in START.finditer(form)
    )


def check_address(name: str, address: str) -> None:
    """Raise InputError, which names `name` and not the password, if the address has one."""
    if has_password(address):
        raise InputError(f"{name}: {ADVICE}")


def _forms(text: str) -> Iterator[str]:
    """The text, without backslashes, and unquoted."""
    form = text.replace("\\", "")
    yield form
    for _ in range(UNQUOTED):
        form = unquote(form)
        yield form


def _has_user(scheme: str, rest: str) -> bool:
    """Whether what follows `SCHEME://` begins with a password, or for a web server with a user."""
    if scheme not in WEB:
        return DATABASE_USER.match(rest) is not None
    rest = rest.lstrip("/")
    authority = AUTHORITY.match(rest)
    assert authority is not None
    if "@" in authority[0]:
        return True
    # An unquoted / in a password ends the authority, whose port is none then.
    return "@" in rest and PORT.fullmatch(authority[0]) is None
