"""Links between the main process and the others: who is let in, what arrives, and the end."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from mmclf.training.distributed import links
from mmclf.training.distributed.links import Link, Listener, connect, start_beating

TOKEN = "secret"
WAIT_S = 60.0


class Inbox:
    """What links have taken."""

    def __init__(self) -> None:
        self.taken: queue.Queue[tuple[int, Mapping[str, Any]]] = queue.Queue()

    def take(self, rank: int, message: Mapping[str, Any]) -> None:
        self.taken.put((rank, message))

    def next(self) -> tuple[int, Mapping[str, Any]]:
        return self.taken.get(timeout=WAIT_S)


@pytest.fixture
def inboxes() -> tuple[Inbox, Inbox]:
    return Inbox(), Inbox()


@pytest.fixture
def linked(inboxes: tuple[Inbox, Inbox]) -> Iterator[tuple[dict[int, Link], dict[int, Link]]]:
    """The main process's links to two others, and theirs, the second of whom comes first."""
    main, others = inboxes
    listener = Listener("127.0.0.1", TOKEN)
    of_main: dict[int, Link] = {}
    accepting = threading.Thread(target=lambda: of_main.update(listener.accept(3, main.take)))
    accepting.start()
    theirs = {
        rank: connect("127.0.0.1", listener.port, TOKEN, rank, others.take) for rank in (2, 1)
    }
    accepting.join(WAIT_S)
    yield of_main, theirs
    for link in (*of_main.values(), *theirs.values()):
        link.close()


def test_messages_arrive_and_links_stand_in_order(
    inboxes: tuple[Inbox, Inbox], linked: tuple[dict[int, Link], dict[int, Link]]
) -> None:
    main, others = inboxes
    of_main, theirs = linked
    assert list(of_main) == [1, 2]
    theirs[2].send({"kind": "reply", "text": "é\n"})
    assert main.next() == (2, {"kind": "reply", "text": "é\n"})
    of_main[1].send({"kind": "order"})
    assert others.next() == (0, {"kind": "order"})


def test_a_closed_connection_is_told_of_at_once_and_once(
    inboxes: tuple[Inbox, Inbox], linked: tuple[dict[int, Link], dict[int, Link]]
) -> None:
    main, _ = inboxes
    _, theirs = linked
    theirs[1].close()
    rank, message = main.next()
    assert (rank, message["kind"]) == (1, "lost")
    theirs[2].send({"kind": "failed", "text": "why"})
    theirs[2].close()
    assert main.next() == (2, {"kind": "failed", "text": "why"})
    linked[0][2].wait_closed(WAIT_S)
    assert main.taken.empty()


def test_one_who_is_silent_is_lost_and_one_who_gives_signs_of_life_is_not(
    monkeypatch: pytest.MonkeyPatch, inboxes: tuple[Inbox, Inbox]
) -> None:
    monkeypatch.setattr(links, "SILENT_S", 1.5)
    monkeypatch.setattr(links, "BEAT_S", 0.1)
    main, other = inboxes
    pairs = [socket.socketpair() for _ in range(2)]
    held = [Link(pair[0], rank, main.take) for rank, pair in enumerate(pairs)]
    start_beating({0: Link(pairs[1][1], 0, other.take)})
    started = time.monotonic()
    rank, message = main.next()
    assert (rank, message["kind"]) == (0, "lost")
    assert time.monotonic() - started > 1
    assert main.taken.empty()
    for link in held:
        link.close()


@pytest.mark.hostile("servers and databases")
@pytest.mark.parametrize("greeting", [b"1 wrong\n", b"9 secret\n", b"x\n", b"\xff\n", b"1" * 300])
def test_strangers_are_not_let_in(inboxes: tuple[Inbox, Inbox], greeting: bytes) -> None:
    main, other = inboxes
    listener = Listener("127.0.0.1", TOKEN)
    let_in: dict[int, Link] = {}
    accepting = threading.Thread(target=lambda: let_in.update(listener.accept(2, main.take)))
    accepting.start()
    with socket.create_connection(("127.0.0.1", listener.port)) as stranger:
        stranger.sendall(greeting)
        stranger.settimeout(WAIT_S)
        with suppress(ConnectionResetError):  # where not all of it was read
            assert stranger.recv(1) == b""
    own = connect("127.0.0.1", listener.port, TOKEN, 1, other.take)
    accepting.join(WAIT_S)
    own.send({"kind": "reply"})
    assert main.next() == (1, {"kind": "reply"})
    own.close()
    let_in[1].close()


NUMBERS = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.1.1", "192.0.2.1": "192.0.2.1"}


@pytest.mark.parametrize(
    ("address", "bound"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "0.0.0.0"), ("192.0.2.1", "0.0.0.0")],
)
def test_where_others_know_a_machine_by_another_address_all_of_its_own_are_open(
    monkeypatch: pytest.MonkeyPatch, address: str, bound: str
) -> None:
    def found(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (NUMBERS[name], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    listener = Listener(address, TOKEN)
    assert listener._server.getsockname()[0] == bound
    listener._server.close()
