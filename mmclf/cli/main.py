"""The entry: `mmclf [overrides]` is Hydra's application, and there are a few subcommands."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, metadata
from types import FrameType

from mmclf.cli.columns import two_columns
from mmclf.cli.streams import lost_output, open_standard_streams
from mmclf.config.passwords import check_words
from mmclf.config.shipped import conf_dir
from mmclf.errors import InputError
from mmclf.messages import tell, unforeseen
from mmclf.storage import environment

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

# What a machine may lack at any moment, and what helps.
LACKING: Mapping[int | None, str] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free space, or give output_dir=DIR elsewhere"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "give a place that you may write to"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files, by ulimit -n"),
    errno.EFBIG: "allow larger files, by ulimit -f",
}

# The module of each subcommand's function, which has its name.
SUBCOMMANDS: Mapping[str, str] = {
    "plan": "mmclf.cli.plan",
    "report": "mmclf.cli.report",
    "runs": "mmclf.cli.report",
    "predict": "mmclf.cli.predict",
    "doctor": "mmclf.cli.doctor",
    "data": "mmclf.cli.data",
    "show": "mmclf.cli.show",
    "cache": "mmclf.cli.cache",
}

USAGE = """\
mmclf [OVERRIDE ...]                one run
mmclf -m [OVERRIDE ...]             a sweep over KEY=VALUE,VALUE: one run for each combination
mmclf study=NAME [OVERRIDE ...]     a study: its arms, each with several seeds, and its report
mmclf plan NAME [OVERRIDE ...]      its arms, what is done of it, the time that is left, and which
                                    difference so many seeds would show
mmclf report [STUDY | --runs ID ... | --compare ID ID] [--format text,md,csv,tex,html]
                                    the results table; without more, of the latest sweep
mmclf runs                          the tracked runs, with their ids
mmclf runs --send RUN_ID            send what a run could not while its server was away
mmclf predict RUN_ID [data.KEY=VALUE ...] [--out FILE] [--labels names] [--probabilities] [--top K]
                                    labels for what the run's source reads, in its form
mmclf predict RUN_ID --root DIR     labels for a competition's DIR/test.csv
mmclf show [GROUP [LEVEL]]          the config groups, a group's levels, a level's settings
mmclf doctor [OVERRIDE ...] [--no-images] [--format text,md] [--track]
                                    what is wrong with the data, or odd, before any run
mmclf data init FILE_OR_FOLDER [--name NAME]
                                    how it is read, guessed and written as data=NAME
mmclf cache [--verify] [--prune LIMIT ...]
                                    what is stored, and by which run; LIMIT is 30d or 10GB

An override is KEY=VALUE: the level of a group, as vision=efficientnet_lite0, or a setting, as
trainer.epochs=5. The subcommands take output_dir=DIR, tracking.uri=URI, tracking.experiment=NAME;
cache and predict take store.dir=DIR as well, predict device=NAME and allow_targets=[MODULE] too,
doctor all that a run takes.

{groups}

--config-dir DIR    a folder of config groups of your own, beside the shipped ones
--cfg job           print the composed configuration, run nothing
--hydra-help        Hydra's own options

Exit status: 0 all went well, 1 a run failed, 2 bad input or configuration, 130 interrupted.
HYDRA_FULL_ERROR=1 in the environment shows tracebacks.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    open_standard_streams()
    status = _status(arguments)
    lost = lost_output()
    if lost is None:
        return status
    tell(f"standard output cannot be written ({lost.strerror or lost})")
    return status if status != OK else FAILED


def _status(arguments: list[str]) -> int:
    """The exit status of a command; its errors are said."""
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGUSR2"):  # by which Slurm warns of the end
        signal.signal(signal.SIGUSR2, _interrupt)
    environment.wait_without_spinning()
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        check_words(arguments)
        return _command(arguments)(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except InputError as error:
        if wants_traceback:
            traceback.print_exc()
        for problem in error.problems:
            tell(problem)
        return BAD_INPUT
    except OSError as error:
        if wants_traceback or error.errno not in LACKING:
            return _unforeseen(error, wants_traceback)
        where = f"{error.filename}: " if error.filename is not None else ""
        tell(f"{where}{error.strerror}: {LACKING[error.errno]}")
        return FAILED
    except Exception as error:
        return _unforeseen(error, wants_traceback)


def _unforeseen(error: Exception, wants_traceback: bool) -> int:
    if wants_traceback:
        traceback.print_exc()
    tell(
        f"{unforeseen(error)}\n"
        "  this was not foreseen; HYDRA_FULL_ERROR=1 in the environment shows where it arose"
    )
    return FAILED


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _command(arguments: Sequence[str]) -> Callable[[list[str]], int]:
    # Late, by name: docs/architecture.md#late-imports
    name, others = _subcommand(arguments)
    if name is None and {"-h", "--help", "help"} & set(arguments):
        return _help
    if "--version" in arguments:
        return _version
    if name is None:
        return _imported("mmclf.cli.launch", "launch")
    command = _imported(SUBCOMMANDS[name], name)
    return lambda _: command(others)


def _imported(module: str, command: str) -> Callable[[list[str]], int]:
    function: Callable[[list[str]], int] = getattr(import_module(module), command)
    return function


def _subcommand(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The subcommand and its arguments; `--config-dir DIR` may stand before it."""
    rest = list(arguments)
    before: list[str] = []
    while rest and rest[0].split("=")[0] == "--config-dir":
        count = 1 if "=" in rest[0] else 2
        before, rest = [*before, *rest[:count]], rest[count:]
    if not rest or rest[0] not in SUBCOMMANDS:
        return None, list(arguments)
    return rest[0], [*before, *rest[1:]]


def _version(_arguments: Sequence[str]) -> int:
    sys.stdout.write(f"mmclf {metadata.version('mmclf')}\n")
    return OK


def _help(_arguments: Sequence[str]) -> int:
    folder = conf_dir()
    groups = {
        path.name: sorted(level.stem for level in path.glob("*.yaml"))
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }
    listed = {name: " ".join(levels) for name, levels in groups.items() if levels}
    sys.stdout.write(USAGE.format(groups=two_columns(listed)))
    return OK
