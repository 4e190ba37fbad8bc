"""Links: connections between the main process and the others, for orders and signs of life.

A line of JSON is a message. A connection that closes, or that is silent for long, says that the
process at its other end is gone, whatever this one is computing or waiting for.
"""

from __future__ import annotations

import errno
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

BEAT_S = 10.0  # between two signs of life
SILENT_S = 180.0  # after which a process is taken for gone
GREET_S = 300.0  # for all processes to connect
MAX_LINE = 2**24  # bytes of a message
ALIVE, FAILED, END, LOST = "alive", "failed", "end", "lost"
LAST = (FAILED, END, LOST)

Message = Mapping[str, Any]
Take = Callable[[int, Message], None]  # gets a process's number and what it sent


class Link:
    """A connection to the process `rank`, read in a thread of its own.

    Each message goes to `take` in that thread. The last one is of the kind `failed` or `end`, or
    `lost` where the connection has closed without.
    """

    def __init__(self, peer: socket.socket, rank: int, take: Take) -> None:
        self.rank = rank
        self._peer, self._take = peer, take
        self._sending = threading.Lock()
        peer.settimeout(SILENT_S)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, message: Message) -> None:
        """Send it; one that cannot be sent is lost, which the reading thread notices."""
        line = json.dumps(message).encode() + b"\n"
        with self._sending, suppress(OSError):
            self._peer.sendall(line)

    def wait_closed(self, seconds: float) -> None:
        """Wait until the other end has closed the connection, for so long at most."""
        self._reader.join(seconds)

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)
        self._peer.close()

    def _read(self) -> None:
        has_ended = False
        for message in _messages(self._peer):
            if message["kind"] == ALIVE or has_ended:
                continue
            has_ended = message["kind"] in LAST
            self._take(self.rank, message)


def _messages(peer: socket.socket) -> Iterator[Message]:
    """Each message; the last one, of the kind `lost`, where the connection has closed."""
    reason = "its connection has closed"
    try:
        with peer.makefile("rb") as lines:
            while line := lines.readline(MAX_LINE):
                yield json.loads(line)
    except TimeoutError:
        reason = f"it gave no sign of life for {SILENT_S:.0f} s"
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "it sent what is no message"
    yield {"kind": LOST, "reason": reason}


def start_beating(links: Mapping[int, Link]) -> None:
    """Send signs of life over the links, in a thread, as long as the process lives."""

    def beat() -> None:
        while True:
            time.sleep(BEAT_S)
            for link in links.values():
                link.send({"kind": ALIVE})

    threading.Thread(target=beat, daemon=True).start()


class Listener:
    """Where the main process waits for the others; whoever knows `token` is one of them."""

    def __init__(self, address: str, token: str) -> None:
        self._token = token
        self._server = _server_at(address)
        self.port: int = self._server.getsockname()[1]

    def accept(self, count: int, take: Take) -> dict[int, Link]:
        """The links to the processes 1 to `count` - 1, in their order.

        Raises TimeoutError if one does not come.
        """
        until, links = time.monotonic() + GREET_S, dict[int, Link]()
        with self._server:
            while len(links) < count - 1:
                self._server.settimeout(max(until - time.monotonic(), 0.001))
                peer, _ = self._server.accept()
                rank = _greeted(peer, self._token)
                if rank is None or not 0 < rank < count or rank in links:
                    peer.close()
                    continue
                links[rank] = Link(peer, rank, take)
        return dict(sorted(links.items()))


def _server_at(address: str) -> socket.socket:
    """A server on a port that is free.

    Where the address is one that others have of this machine, on all of its addresses.
    """
    try:
        family, *_, resolved = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
        # A machine may call itself by an address on the loopback device, where nobody else is.
        if address == resolved[0] or not str(resolved[0]).startswith("127."):
            return socket.create_server((str(resolved[0]), 0), family=family)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
    return socket.create_server(("", 0))


def _greeted(peer: socket.socket, token: str) -> int | None:
    """The rank of a process that has connected; None for anybody else."""
    peer.settimeout(BEAT_S)
    try:
        line = b""
        while not line.endswith(b"\n") and len(line) < 200:
            byte = peer.recv(1)
            if not byte:
                return None
            line += byte
        rank, _, given = line.decode("ascii").strip().partition(" ")
    except (OSError, ValueError):
        return None
    return int(rank) if rank.isdecimal() and hmac.compare_digest(given, token) else None


def connect(address: str, port: int, token: str, rank: int, take: Take) -> Link:
    """The link of the process `rank` to the main one; raises OSError if that is out of reach."""
    peer = socket.create_connection((address, port), timeout=GREET_S)
    peer.sendall(f"{rank} {token}\n".encode())
    return Link(peer, 0, take)
