"""What the Tab key completes in a shell: commands, options, studies, levels and settings.

Hydra has the shell's side of it (`mmclf -sc install=bash`) and completes overrides; it knows no
commands, and takes their names for overrides that it cannot read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from hydra._internal.core_plugins.bash_completion import BashCompletion
from hydra._internal.hydra import Hydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from mmclf.cli.grammar import INFO_VALUES, bare_words, split_command
from mmclf.config.composer import Composer
from mmclf.config.loader import RefusedConfigError
from mmclf.errors import InputError

QUERIES = ("query=bash", "query=zsh")  # zsh runs bash's script
# The options of each command; those of a run without one.
OPTIONS: Mapping[str | None, Sequence[str]] = {
    None: (
        *("-m", "--cfg", "--resolve", "--package", "--info", "--config-dir", "--config-name"),
        *("--help", "--version", "--hydra-help"),
    ),
    "plan": ("--config-dir",),
    "report": ("--runs", "--compare", "--format", "--columns", "--no-images"),
    "runs": ("--where", "--sort", "--reverse", "--last", "--by", "--send", "--format"),
    "diff": ("--all",),
    "export": ("--format", "--out", "--config-dir"),
    "explain": ("--out", "--top", "--root", "--config-dir"),
    "predict": ("--root", "--out", "--probabilities", "--labels", "--top", "--config-dir"),
    "doctor": ("--no-images", "--format", "--track", "--config-dir"),
    "data": ("--name", "--config-dir"),
    "show": ("--config-dir",),
    "cache": ("--verify", "--prune"),
}
VALUES: Mapping[str, Sequence[str]] = {
    "--cfg": ("job", "hydra", "all"),
    "--info": INFO_VALUES,
    "--format": ("text", "md", "csv", "tex", "html"),
    "--by": ("arm",),
    "--labels": ("names", "ids"),
}
FILES = ("--out", "--root", "--config-dir")  # completed by the shell itself
WITHOUT_OVERRIDES = ("show", "data", "diff")
COMMANDS = tuple(name for name in OPTIONS if name is not None)


class _UncheckedTargets:
    """A loader that imports no component: who presses Tab does not wait for torch."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self.get_group_options = composer.loader.get_group_options

    def load_configuration(
        self, config_name: str, overrides: Sequence[str], run_mode: RunMode
    ) -> DictConfig:
        """What Hydra composes, with nothing in it that must not be resolved."""
        del config_name  # the composer's
        cfg = self._composer.compose(overrides, run_mode)
        problems = self._composer.loader.checker.check_sweep(cfg)
        if problems:
            raise RefusedConfigError(*problems)
        return cfg


def complete(hydra: Hydra, composer: Composer, asked: Sequence[str]) -> None:
    """Print what `mmclf -sc ...` asks for: the shell's script, or the candidates for a line."""
    if any(query in asked for query in QUERIES):
        line = os.environ.get("COMP_LINE", "")
        point = os.environ.get("COMP_POINT", "")
        line = line[: int(point)] if point.isdecimal() else line
        sys.stdout.write(" ".join(candidates(composer, line)) + "\n")
    else:
        hydra.shell_completion(config_name=composer.config_name, overrides=list(asked))


def candidates(composer: Composer, line: str) -> list[str]:
    """What the last word of a command line, which begins with the program's name, may become."""
    words = line.split()[1:]
    word = words.pop() if words and not line.endswith(" ") else ""
    command, others = split_command(words, COMMANDS)
    last = words[-1] if words else ""
    if last in FILES:
        return []
    if last in VALUES:
        choices = [*VALUES[last]]
    elif word.startswith("-"):
        choices = [*OPTIONS[command], "--help"]
    else:
        choices = [*_names(composer, command, others)]
        if command not in WITHOUT_OVERRIDES:
            choices += _overrides(composer, word, others)
    return sorted({text for text in choices if text.startswith(word)})


def _names(composer: Composer, command: str | None, others: Sequence[str]) -> Iterator[str]:
    """Words without an equals sign that may stand next."""
    given = [others[position] for position in bare_words(others)]
    if command is None and not given:
        yield from COMMANDS
    if command in ("plan", "report") and not given:
        yield from composer.groups.levels("study")
    if command == "data" and not given:
        yield "init"
    if command == "show" and not given:
        yield from composer.groups.names()
    if command == "show" and len(given) == 1:
        yield from composer.groups.levels(given[0])


def _overrides(composer: Composer, word: str, others: Sequence[str]) -> list[str]:
    """Levels of the group, several of them after commas, or what Hydra finds for the word."""
    group, equals, value = word.partition("=")
    levels = composer.groups.levels(group.lstrip("+~")) if equals else ()
    if levels:
        before = value[: value.rfind(",") + 1]
        return [f"{group}={before}{level}" for level in levels]
    overrides = [text for text in others if "=" in text and not text.startswith("-")]
    plugin = BashCompletion(_UncheckedTargets(composer))
    try:
        choices: list[str] = plugin._query(
            config_name=composer.config_name, line=" ".join([*overrides, word]) or " "
        )
    except (HydraException, InputError, ValueError):
        return []  # of a line that is wrong already
    return [text for text in choices if not text.lstrip("+~").startswith("hydra")]
