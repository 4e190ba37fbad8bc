from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable

import pytest
from message_facts import Naming
from rich.console import Console

from mmclf import progress as module
from mmclf.progress import progress_bar, rate

Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time, in seconds from 1000 on."""
    now = [1000.0]
    monkeypatch.setattr("mmclf.progress.time.monotonic", lambda: now[0])
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def set_to(seconds: float) -> None:
        now[0] = 1000 + seconds

    return set_to


def test_off_a_terminal_short_work_is_done_in_silence(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("decoding images", 100) as advance:
        for step in range(100):
            at(step * 0.299)
            advance(1)
    assert capsys.readouterr() == ("", "")


def test_off_a_terminal_long_work_is_printed_every_30_s_with_rate_and_time_left(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("encoding images", 60_000) as advance:
        outputs = []
        for seconds in (29.9, 30, 59.9, 65, 95):
            at(seconds)
            advance(3000)
            outputs.append(capsys.readouterr().err)
    assert outputs == [
        "",
        Naming("encoding images", "6000/60000", "200/s", "4:30"),
        "",
        Naming("encoding images", "12000/60000", "185/s", "4:20"),
        Naming("encoding images", "15000/60000", "158/s", "4:45"),
    ]


def test_slow_steps_are_printed_with_their_seconds(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("training, epochs", 10) as advance:
        at(35)
        advance(1)
    assert capsys.readouterr().err == Naming("training, epochs", "1/10", "35 s", "5:15")


def test_nothing_is_printed_before_the_first_step(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("training, epochs", 10) as advance:
        at(100)
        advance(0)
        assert capsys.readouterr().err == ""
        advance(10)
        assert capsys.readouterr().err == Naming("training, epochs", "10/10", "10 s", "0:00")


def test_there_are_60_seconds_in_a_minute(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("training, epochs", 2) as advance:
        at(59.7)
        advance(1)
    assert capsys.readouterr().err.endswith(" 1:00 left\n")


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (211.6, "212/s"),
        (10, "10/s"),
        (8, "8.0/s"),
        (1 / 3.4, "3.4 s each"),
        (1 / 35, "35 s each"),
        (0, ""),
    ],
)
def test_a_rate_is_in_steps_a_second_or_seconds_a_step(speed: float, words: str) -> None:
    assert rate(speed) == words


def test_an_epoch_of_minutes_has_no_exponent() -> None:
    assert "e+" not in rate(1 / 177)


def test_on_a_terminal_there_is_a_bar_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(module, "Console", lambda stderr: terminal)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("encoding captions", 3) as advance:
        for _ in range(3):
            advance(1)
    shown = re.findall(r"encoding captions .* 3/3 \S+(?:/s| s each) 0:00:00", stream.getvalue())
    assert shown
