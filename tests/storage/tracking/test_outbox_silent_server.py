"""A server that never answers holds up neither what a run logs nor its end."""

from __future__ import annotations

import _thread
import signal
import threading
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from mlflow.tracking import MlflowClient

from mmclf.storage.tracking import outbox
from mmclf.storage.tracking.logged import End, Params, Tags
from mmclf.storage.tracking.outbox import Outbox, Patience
from mmclf.storage.tracking.unsent import read_unsent


class Silent:
    """A client of a server that never answers, in whatever thread asks it."""

    def __init__(self, interrupts: bool = False) -> None:
        self.ends = threading.Event()
        self.threads: list[threading.Thread] = []
        self._interrupts = interrupts

    def log_batch(self, *_: object, **__: object) -> None:
        self.threads.append(threading.current_thread())
        if self._interrupts:
            _thread.interrupt_main()
        self.ends.wait()


@pytest.mark.hostile("servers and databases")
def test_a_server_that_never_answers_holds_up_neither_a_run_nor_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CALL_S", 0.05)
    monkeypatch.setattr(outbox, "HURRIED_S", 0.05)
    client = Silent()
    box = Outbox(cast("MlflowClient", client), "run", False, Patience(60.0, tmp_path))
    box.put(Tags([("a", "b")]))
    box.put(Params([("c", "d")]))
    box.end(End("KILLED", 7), hurried=True)
    assert read_unsent(tmp_path, "run") == [
        Tags([("a", "b")]),
        Params([("c", "d")]),
        End("KILLED", 7),
    ]
    assert threading.main_thread() not in client.threads
    assert all(thread.daemon for thread in client.threads)
    client.ends.set()


@pytest.mark.hostile("servers and databases")
def test_an_interruption_comes_while_a_server_is_waited_for(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # In the background of a script the interpreter finds interruptions ignored, and leaves it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(partial(signal.signal, signal.SIGINT, before))
    # A thread can be waited for and be interrupted; a lookup of a name in C can not.
    client = Silent(interrupts=True)
    box = Outbox(cast("MlflowClient", client), "run", False, Patience(60.0, tmp_path))
    with pytest.raises(KeyboardInterrupt):
        box.put(Tags([("a", "b")]))
    client.ends.set()
