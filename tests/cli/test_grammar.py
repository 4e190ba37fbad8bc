"""Which word of a command line is the command, and what to type instead of another word."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.cli.grammar import OTHER_COMMANDS, check_no_words, split_command
from mmclf.cli.main import SUBCOMMANDS, main
from mmclf.config.shipped import conf_dir
from mmclf.errors import InputError

OVERRIDES = st.sampled_from(["seed=1", "-m", "+a.b=2", "~data.x", "vision=none"])


@given(
    st.sampled_from(sorted(SUBCOMMANDS)),
    st.lists(OVERRIDES, max_size=3),
    st.lists(OVERRIDES, max_size=3),
)
def test_a_command_may_stand_anywhere_among_overrides(
    command: str, before: list[str], after: list[str]
) -> None:
    actual = split_command([*before, command, *after], SUBCOMMANDS)
    assert actual == (command, [*before, *after])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--config-dir", "report", "plan", "loss"], ("plan", ["--config-dir", "report", "loss"])),
        (["--config-dir=x", "plan"], ("plan", ["--config-dir=x"])),
        (["--format", "md", "report", "loss"], ("report", ["--format", "md", "loss"])),
        (["report", "plan"], ("report", ["plan"])),
        (["--cfg", "job"], (None, ["--cfg", "job"])),
        (["--info", "config", "report"], ("report", ["--info", "config"])),
        (["loss", "report"], (None, ["loss", "report"])),
        ([], (None, [])),
    ],
)
def test_the_first_word_that_is_no_value_is_the_command(
    arguments: list[str], expected: tuple[str | None, list[str]]
) -> None:
    assert split_command(arguments, SUBCOMMANDS) == expected


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["reprot"], "mmclf report"),
        (["Predict"], "mmclf predict"),
        (["run"], "mmclf [KEY=VALUE ...]"),
        (["train", "seed=1"], "mmclf [KEY=VALUE ...]"),
        (["list"], "mmclf runs"),
        (["sweep"], "mmclf -m"),
        (["compare"], "mmclf diff"),
        (["fusion"], "mmclf show fusion"),
        (["attribution"], "study=attribution"),
        (["vision", "=", "none"], "vision=VALUE"),
        (["frobnicate"], "cache, data, diff"),
    ],
)
def test_what_is_no_command_says_what_to_type(words: list[str], advice: str) -> None:
    with pytest.raises(InputError) as caught:
        check_no_words(words, SUBCOMMANDS, conf_dir())
    assert str(caught.value).startswith(f"{words[0]} is no command: ")
    assert advice in str(caught.value)


def test_overrides_and_options_are_no_words() -> None:
    check_no_words(["-m", "seed=1,2", "~data.x", "--cfg", "job"], SUBCOMMANDS, conf_dir())


def test_what_others_call_a_command_is_none_here() -> None:
    assert not OTHER_COMMANDS.keys() & SUBCOMMANDS.keys()


def test_a_misspelt_command_exits_2_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reprot", "loss", "--format", "md"]) == 2
    assert capsys.readouterr().err == Naming("reprot", "mmclf report")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("flags", [["--resolve"], ["--cfg", "job", "--resolve"]])
def test_resolve_alone_prints_the_job_resolved(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*flags, "output_dir=elsewhere", "data=demo"]) == 0
    assert "dir: elsewhere/store\n" in capsys.readouterr().out


def test_of_a_sweep_the_first_job_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-m", "--cfg", "job", "loss=focal,bce", "seed=3,4"]) == 0
    printed = capsys.readouterr()
    assert "seed: 3\n" in printed.out
    assert "mmclf.models.losses.FocalLoss" in printed.out
    assert printed.err == Naming("loss=focal", "seed=3")


def test_of_a_study_what_it_starts_from_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study=loss", "--cfg", "job", "vision=none", "text=tfidf"]) == 0
    printed = capsys.readouterr()
    assert "design: one_at_a_time\n" in printed.out
    assert printed.err == Naming("mmclf plan loss")


@pytest.mark.parametrize("form", [["loss"], ["study=loss"]])
def test_plan_and_report_take_a_study_in_both_forms(
    form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"output_dir={tmp_path}"
    small = ["vision=none", "text=tfidf", "data.train=60", "data.test=20", "study.seeds=1"]
    assert main(["plan", *form, *small, place]) == 0
    assert capsys.readouterr().out == Naming("0 of 6 done")
    assert main(["report", *form, place]) == 2
    assert capsys.readouterr().err == Naming(str(tmp_path), "start a run first")
