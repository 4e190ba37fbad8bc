from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator

import pytest
from message_facts import Naming

from mmclf.progress import doing, duration, progress_bar, rate, terminal

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
        Naming("encoding images", "6,000 of 60,000", "200/s", "4 min"),
        "",
        Naming("encoding images", "12,000 of 60,000", "185/s", "4 min"),
        Naming("encoding images", "15,000 of 60,000", "158/s", "5 min"),
    ]


def test_slow_steps_are_printed_with_their_seconds(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("training, epochs", 10) as advance:
        at(35)
        advance(1)
    assert capsys.readouterr().err == Naming("training, epochs", "1 of 10", "35 s", "5 min")


def test_nothing_is_printed_before_the_first_step(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("training, epochs", 10) as advance:
        at(100)
        advance(0)
        assert capsys.readouterr().err == ""
        advance(10)
        assert capsys.readouterr().err == Naming("training, epochs", "10 of 10", "10 s", "left 0 s")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (4, "4 s"),
        (9.94, "9.9 s"),
        (59.7, "60 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (119.4 * 60, "119 min"),
        (119.6 * 60, "2 h 0 min"),
        (47 * 3600 + 59 * 60, "47 h 59 min"),
        (72 * 3600, "3 days"),
    ],
)
def test_a_time_is_in_the_units_that_one_thinks_of_it_in(seconds: float, words: str) -> None:
    assert duration(seconds) == words


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


class Screen(io.StringIO):
    """What a terminal is sent."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture(autouse=True)
def _forget_the_console() -> Iterator[None]:
    """Let each test have the console of its own standard error."""
    terminal.cache_clear()
    yield
    terminal.cache_clear()


def terminal_of_80(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal of 80 columns on standard error."""
    screen = Screen()
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_on_a_terminal_there_is_a_bar_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = terminal_of_80(monkeypatch)
    with progress_bar("encoding captions", 3000) as advance:
        for _ in range(3):
            advance(1000)
    shown = screen.getvalue()
    assert re.search(r"encoding captions .* 3,000 of 3,000 \S+/s left 0 s", shown)
    assert max(map(len, re.split(r"[\r\n]", re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", shown)))) <= 80


def test_what_is_being_done_is_gone_at_the_end_and_what_was_told_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = terminal_of_80(monkeypatch)
    with doing("reading") as now:
        now("splitting [bold]")
        with progress_bar("decoding", 2) as advance:
            advance(2)
            sys.stderr.write("mmclf: told\n")
        now("fitting")
    assert sys.stderr is screen
    shown = lines_left(screen.getvalue())
    assert shown == ["mmclf: told"]


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_off_a_terminal_nothing_moves_the_cursor_whatever_asks_for_colours(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with doing("reading") as now, progress_bar("decoding", 2) as advance:
        now("splitting")
        advance(2)
        sys.stderr.write("mmclf: told\n")
    assert log.getvalue() == "mmclf: told\n"


def lines_left(sent: str) -> list[str]:
    """What is left on a terminal that obeys the sequences rich sends to move within lines."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[?\d;]*[a-zA-Z]|[\r\n]|[^\x1b\r\n]+", sent):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part.endswith("A") and part[0] == "\x1b":
            row -= int(part[2:-1] or 1)
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part[0] not in "\x1b\r":
            lines[row] = part
    return [line.rstrip() for line in lines if line.strip()]
