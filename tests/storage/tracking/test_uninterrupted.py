"""An interruption waits for a write."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator

import pytest

from mmclf.storage.tracking.uninterrupted import SIGNALS, uninterrupted


def interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_it_comes_at_the_end_of_the_block(number: signal.Signals) -> None:
    done: list[str] = []

    def write() -> None:
        with uninterrupted():
            signal.raise_signal(number)
            done.append("written")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == ["written"]
    assert [signal.getsignal(each) for each in SIGNALS] == [interrupt] * len(SIGNALS)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked")
def test_it_comes_though_the_system_blocks_it() -> None:
    # As in a worker of Ray's, which interrupts its main thread from within.
    def write() -> None:
        with uninterrupted():
            _thread.interrupt_main()

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with pytest.raises(KeyboardInterrupt):
            write()
        assert signal.SIGINT not in signal.sigpending()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what still waits would end the tests
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_an_error_does_not_swallow_it() -> None:
    def write() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            raise ValueError

    with pytest.raises(KeyboardInterrupt) as caught:
        write()
    assert isinstance(caught.value.__context__, ValueError)


def test_without_one_nothing_changes() -> None:
    with uninterrupted():
        pass
    with pytest.raises(ValueError, match="wrong"), uninterrupted():
        raise ValueError("wrong")
    assert [signal.getsignal(each) for each in SIGNALS] == [interrupt] * len(SIGNALS)


def test_another_thread_is_never_interrupted_and_sets_no_handler() -> None:
    seen: list[object] = []

    def write() -> None:
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert seen == [interrupt]
