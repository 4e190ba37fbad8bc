"""A call that is waited for so long and no longer, and whether a server is there at all."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mmclf.errors import UnreachableError

CALL_S = 10.0  # for an answer to a request
WEB = ("http://", "https://")

Value = TypeVar("Value")


def within(seconds: float, call: Callable[[], Value]) -> Value:
    """What a call returns, in a thread that is waited for so long; raises TimeoutError after that.

    What no timeout of a client bounds is bounded so: a name that nobody resolves, a server that
    sends a byte at a time. An interruption is not held up either. The thread is then left behind.
    """
    done: list[Value] = []
    raised: list[BaseException] = []

    def called() -> None:
        try:
            done.append(call())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=called, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not done:
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    return done[0]


def check_answers(setting: str, address: str, seconds: float = CALL_S) -> None:
    """Raise UnreachableError if nobody answers at the http address that a setting has.

    Whatever a server says, it is there. Other addresses are not looked at, nor one that is none.
    """
    if not address.startswith(WEB):
        return
    try:
        within(seconds, lambda: _ask(address, seconds))
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise UnreachableError(
            f"{setting}={address} does not answer ({reason}): start it, wait until it is free, or "
            f"give another {setting}"
        ) from error


class _NoRedirect(HTTPRedirectHandler):
    """Asks nobody else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow none; it is an answer."""


def _ask(address: str, seconds: float) -> None:
    """Ask for anything; raises OSError unless somebody is there."""
    try:
        request = Request(address, method="HEAD")  # noqa: S310 - it begins with http
        build_opener(_NoRedirect).open(request, timeout=seconds).close()
    except HTTPError:
        return
    except URLError as error:
        if not isinstance(error.reason, OSError) or isinstance(error.reason, ssl.SSLError):
            return  # of the address, or of a certificate: MLflow's own client says more
        raise
    except (HTTPException, ValueError) as error:
        if isinstance(error, (ConnectionError, socket.timeout)):
            raise
