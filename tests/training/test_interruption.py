"""A signal to end waits until it is passed on, and then does what it would have done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mmclf.training.interruption import SIGNALS, held_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("handler", [signal.SIG_DFL, "one of its own"])
def test_it_waits_and_then_does_what_it_would_have_done(
    number: signal.Signals, handler: Any
) -> None:
    done: list[str] = []

    def end(given: int, _frame: object) -> None:
        raise SystemExit(given)

    signal.signal(number, end if isinstance(handler, str) else handler)
    expected = SystemExit if isinstance(handler, str) else KeyboardInterrupt

    def compute() -> None:
        with held_signals() as interruption:
            assert not interruption.is_there
            signal.raise_signal(number)
            assert interruption.is_there
            done.append("kept")
            interruption.pass_on()
            done.append("after")

    with pytest.raises(expected):
        compute()
    assert done == ["kept"]
    assert signal.getsignal(number) is (end if isinstance(handler, str) else handler)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_one_that_ends_nothing_lets_the_fit_go_on(handler: Any) -> None:
    signal.signal(signal.SIGTERM, handler)
    with held_signals() as interruption:
        signal.raise_signal(signal.SIGTERM)
        interruption.pass_on()
        assert not interruption.is_there


def test_one_that_nobody_passed_on_is_at_the_end_of_the_block() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with pytest.raises(KeyboardInterrupt), held_signals():
        signal.raise_signal(signal.SIGTERM)


def test_a_second_one_of_a_kind_does_not_wait() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    done: list[str] = []

    def compute() -> None:
        with held_signals():
            signal.raise_signal(signal.SIGTERM)
            done.append("first")
            signal.raise_signal(signal.SIGTERM)
            done.append("second")

    with pytest.raises(KeyboardInterrupt):
        compute()
    assert done == ["first"]


def test_another_thread_sets_no_handler() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    seen: list[object] = []

    def compute() -> None:
        with held_signals():
            seen.extend(signal.getsignal(number) for number in SIGNALS)

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert seen == before
