"""How long a tracking server or database is waited for, and what its errors mean."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException
from sqlalchemy.exc import OperationalError

CALL_S = 10.0  # for an answer to a request
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
        place = text.rfind(start)
        if place >= 0:
            text = text[place:].strip("()'\" ,")
    return text[:LONGEST_REASON] or type(last).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ if cause.__cause__ is not None else cause.__context__


def within(seconds: float, call: Callable[[], object]) -> BaseException | None:
    """Call it in a thread for so long; the error that it raised, or a TimeoutError.

    A server can keep a request alive for ever by a byte at a time; the thread then is left behind.
    """
    raised: list[BaseException | None] = [TimeoutError(f"no answer within {seconds:.0f} s")]

    def called() -> None:
        try:
            call()
        except BaseException as error:
            raised[0] = error
        else:
            raised[0] = None

    thread = threading.Thread(target=called, daemon=True)
    thread.start()
    thread.join(seconds)
    return raised[0]
