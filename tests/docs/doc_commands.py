"""The commands of a block: parsed, composed without being run, and run at a small size."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from doc_pages import ROOT, Block

from mmclf.cli.main import SUBCOMMANDS, main
from mmclf.config.compose import check_command, compose
from mmclf.studies.arms import compose_study

RUN_ID = "RUN_ID"
# What a page leaves out, so that its commands take seconds here; a page's own values stay.
SMALL: Mapping[str, str] = {"trainer.epochs": "1", "image.size": "32"}
SMALL_DEMO: Mapping[str, str] = {"data.train": "60", "data.test": "20"}
SMALL_STUDY: Mapping[str, str] = {"study.seeds": "1", "study.max_seeds": "3"}
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


# A condition on runs has spaces before its sign.
OVERRIDE = re.compile(r"[^-\s=][^\s=]*=")


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the output that the page shows of it."""

    program: str
    arguments: tuple[str, ...]
    output: tuple[str, ...] = ()

    @property
    def overrides(self) -> list[str]:
        """The arguments KEY=VALUE."""
        return [word for word in self.arguments if OVERRIDE.match(word)]

    @property
    def keys(self) -> set[str]:
        """What the overrides set."""
        return {word.partition("=")[0].lstrip("+~") for word in self.overrides}

    @property
    def subcommand(self) -> str | None:
        """The subcommand of mmclf; None for a run, a sweep or a study."""
        words = list(self.arguments)
        while words and words[0] == "--config-dir":
            words = words[2:]
        return words[0] if words and words[0] in SUBCOMMANDS else None

    @property
    def reported_study(self) -> str | None:
        """The study whose report is asked for."""
        _, *words = self.arguments or ("",)
        is_named = self.subcommand == "report" and words and not words[0].startswith("-")
        return words[0] if is_named and not OVERRIDE.match(words[0]) else None

    @property
    def config_dir(self) -> Path | None:
        """The folder of --config-dir."""
        words = self.arguments
        return Path(words[words.index("--config-dir") + 1]) if "--config-dir" in words else None


def commands_of(block: Block) -> list[Command]:
    """The commands of a block of the shell; in `console` those after `$`, with their output."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language != "console":
        return [parse(line) for line in lines if shlex.split(line, comments=True)]
    commands: list[Command] = []
    for line in lines:
        if line.startswith("$ "):
            commands.append(parse(line.removeprefix("$ ")))
        else:
            last = commands.pop()
            commands.append(Command(last.program, last.arguments, (*last.output, line)))
    return commands


def parse(line: str) -> Command:
    """A line of the shell without redirections."""
    program, *arguments = shlex.split(line, comments=True)
    return Command(program, tuple(arguments))


def check(command: Command) -> None:
    """Raise unless a command could be started: what it composes, the targets, paths that it names.

    Of mmclf InputError, with all that is wrong.
    """
    if command.program == "mmclf":
        # Pages name the same ones.
        _check_mmclf(replace(command, output=()))
    elif command.program == "make":
        targets = TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
        assert {word for word in command.arguments if "=" not in word} <= {*targets}
    else:
        named = [word for word in command.arguments if word.startswith(("tests/", "experiments/"))]
        assert [word for word in named if not (ROOT / word).exists()] == []


@cache
def _check_mmclf(command: Command) -> None:
    overrides, config_dir = command.overrides, command.config_dir
    if command.subcommand == "plan" or (command.subcommand is None and "study" in command.keys):
        compose_study(overrides, config_dir)
    elif command.subcommand is None:
        multirun = bool({"-m", "--multirun"} & {*command.arguments})
        check_command(overrides, config_dir, multirun=multirun)
    else:
        compose(overrides, config_dir)


def run(command: Command, run_ids: Sequence[str]) -> int:
    """The exit status of a command of mmclf, run here at a small size; `run_ids` for RUN_ID."""
    ids = iter(run_ids)
    arguments = [next(ids) if word == RUN_ID else word for word in command.arguments]
    return main([*arguments, *small(command)])


def small(command: Command) -> list[str]:
    """Overrides that make a run, a sweep or a study small."""
    if command.subcommand not in (None, "plan", "doctor") or "--version" in command.arguments:
        return []
    settings = dict(SMALL)
    if "data" not in command.keys:
        settings |= SMALL_DEMO
    if "study" in command.keys:
        settings |= SMALL_STUDY
    return [f"{key}={value}" for key, value in settings.items() if key not in command.keys]


def names(line: str) -> list[str]:
    """The names in a line of output: keys before a colon, or else the cells of a table's head."""
    keys = re.findall(r"(\S+):(?=\s)", line)
    return keys or [cell for part in re.split(r"\t|\|| {2,}", line) if (cell := part.strip())]
