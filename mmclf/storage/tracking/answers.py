"""How long a tracking server or database is waited for, and what its errors mean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException
from sqlalchemy.exc import OperationalError

UPLOAD_S = 120.0  # for an answer to a file
HURRIED_S = 3.0  # for one last request of a process that was told to end
BUSY_S = 8  # for the lock of a sqlite database, by default 5
# Of HTTP: too many requests, or nobody behind the proxy, or an error that may pass.
AWAY_STATUS = (408, 429, 500, 502, 503, 504)
AWAY_CODES = ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "REQUEST_LIMIT_EXCEEDED")
LONGEST_REASON = 160  # characters
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Let a request of MLflow's in the block fail that is not answered for so many seconds."""
    before = os.environ.get(_TIMEOUT)
    os.environ[_TIMEOUT] = str(round(seconds))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_TIMEOUT, None)
        else:
            os.environ[_TIMEOUT] = before


def is_away(error: BaseException) -> bool:
    """Whether an error says that a server or database does not answer, for now."""
    for cause in _chain(error):
        if isinstance(cause, RequestException):
            status = getattr(cause.response, "status_code", None)
            return status is None or status in AWAY_STATUS
        if isinstance(cause, (OperationalError, ConnectionError, TimeoutError)):
            return True
    return isinstance(error, MlflowException) and error.error_code in AWAY_CODES


def reason(error: BaseException) -> str:
    """The innermost error in a line of at most a few words."""
    *_, last = _chain(error)
    text = " ".join(str(last).split())
    for start in ("[Errno", "(sqlite3.", "(psycopg2."):
        start_at = text.rfind(start)
        if start_at >= 0:
            text = text[start_at:].strip("()'\" ,")
    return text[:LONGEST_REASON] or type(last).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ if cause.__cause__ is not None else cause.__context__
