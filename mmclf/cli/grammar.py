"""The grammar `mmclf COMMAND`: which word is the command, and what to type instead of another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from mmclf.errors import InputError, nearest

# Options whose next word is their value; those of commands too, as they may stand before it.
WITH_VALUE = frozenset(
    [
        *("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--package", "-p"),
        *("--cfg", "-c", "--experimental-rerun", "--format", "--out", "--root", "--labels"),
        *("--top", "--name", "--send", "--where", "--sort", "--last", "--by", "--columns"),
    ]
)
INFO = ("--info", "-i")  # may have a value
INFO_VALUES = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
RUN = "a run needs none: mmclf [KEY=VALUE ...], as mmclf vision=efficientnet_lite0 seed=1"
RUNS = "mmclf runs lists the runs, mmclf show the groups and levels"
# What others call a command.
OTHER_COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(("run", "train", "fit", "start", "launch", "experiment"), RUN),
    **dict.fromkeys(("list", "ls"), RUNS),
    **dict.fromkeys(("sweep", "multirun", "grid"), "mmclf -m KEY=VALUE,VALUE is a sweep"),
    "study": "mmclf study=NAME is a study, mmclf show study lists them",
    **dict.fromkeys(("results", "table", "eval", "evaluate", "summary"), "mmclf report"),
    **dict.fromkeys(("compare", "cmp"), "mmclf diff ID ID, or mmclf report --compare ID ID"),
    **dict.fromkeys(("groups", "levels", "describe", "config"), "mmclf show [GROUP [LEVEL]]"),
    **dict.fromkeys(("check", "validate", "lint"), "mmclf doctor [KEY=VALUE ...]"),
    **dict.fromkeys(("infer", "inference", "test"), "mmclf predict RUN_ID"),
    **dict.fromkeys(("init", "import"), "mmclf data init FILE_OR_FOLDER"),
    **dict.fromkeys(("ui", "dashboard", "server"), "make ui opens MLflow's pages"),
    "version": "mmclf --version",
    "leaderboard": "mmclf runs --by arm",
    "completion": 'eval "$(mmclf -sc install=bash)"',
}


def bare_words(arguments: Sequence[str]) -> Iterator[int]:
    """The indices of the words that are neither options, nor their values, nor overrides."""
    is_value = False
    for index, word in enumerate(arguments):
        was_value, is_value = is_value, word in WITH_VALUE
        if was_value or word.startswith(("-", "~", "+")) or ("=" in word and word != "="):
            continue
        if index > 0 and arguments[index - 1] in INFO and word in INFO_VALUES:
            continue
        yield index


def split_command(
    arguments: Sequence[str], commands: Collection[str]
) -> tuple[str | None, list[str]]:
    """The command, and all other words; None for a run, a sweep or a study.

    Overrides and options may stand before it and after it.
    """
    index = next(bare_words(arguments), None)
    if index is None or arguments[index] not in commands:
        return None, list(arguments)
    return arguments[index], [*arguments[:index], *arguments[index + 1 :]]


def check_no_words(arguments: Sequence[str], commands: Collection[str], conf: Path) -> None:
    """Raise InputError for a word that stands where a command could, and says what to type.

    `conf`: the folder of the config groups.
    """
    index = next(bare_words(arguments), None)
    if index is None:
        return
    word = arguments[index]
    groups = [path.name for path in conf.iterdir() if path.is_dir()]
    studies = [path.stem for path in (conf / "study").glob("*.yaml")]
    raise InputError(
        f"{word} is no command: "
        f"{_advice(word, arguments[index + 1 : index + 2], commands, groups, studies)}"
    )


def _advice(
    word: str,
    following: Sequence[str],
    commands: Collection[str],
    groups: Collection[str],
    studies: Collection[str],
) -> str:
    if following and following[0].startswith("="):
        return f"give {word}=VALUE without spaces around the ="
    if word in groups:
        study = f", mmclf study={word} is the study of it" if word in studies else ""
        return f"{word} is a group: give {word}=LEVEL; mmclf show {word} lists them{study}"
    if word in studies:
        return f"{word} is a study: give study={word}"
    name = word.casefold()
    best = nearest(name, commands)
    meant = nearest(name, OTHER_COMMANDS) if best is None else None
    if name in OTHER_COMMANDS or meant is not None:
        return OTHER_COMMANDS[name if name in OTHER_COMMANDS else str(meant)]
    if best is not None:
        return f"did you mean mmclf {best}?"
    return f"expected KEY=VALUE, or one of {', '.join(sorted(commands))}"
