"""The entry: `mmclf [overrides]` is Hydra's application, and there are a few subcommands."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module, metadata
from types import FrameType
from typing import TYPE_CHECKING

from mmclf.cli.columns import two_columns
from mmclf.cli.grammar import check_no_words, split_command
from mmclf.cli.streams import lost_output, open_standard_streams
from mmclf.config.passwords import check_words
from mmclf.config.shipped import conf_dir
from mmclf.errors import InputError, tell, unforeseen
from mmclf.storage import environment
from mmclf.storage.launched import launched

if TYPE_CHECKING:
    from mmclf.training.distributed.world import World

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
EXIT_S = 2.0  # for what is left to do of a process that was interrupted

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
    "runs": "mmclf.cli.runs",
    "diff": "mmclf.cli.diff",
    "predict": "mmclf.cli.predict",
    "export": "mmclf.cli.export",
    "explain": "mmclf.cli.explain",
    "doctor": "mmclf.cli.doctor",
    "data": "mmclf.cli.data",
    "show": "mmclf.cli.show",
    "cache": "mmclf.cli.cache",
}

USAGE = """\
mmclf [OVERRIDE ...]                one run
mmclf -m [OVERRIDE ...]             a sweep over KEY=VALUE,VALUE: one run for
                                    each combination
mmclf study=NAME [OVERRIDE ...]     a study: its arms, each with several seeds,
                                    and its report
mmclf plan NAME [OVERRIDE ...]      its arms, what is done of it, the time left,
                                    which difference so many seeds would show
mmclf report [NAME | --runs ID ... | --compare ID ID] [--columns NAME,...]
    [--format text,md,csv,tex,html] the results table; without more, of the
    [--no-images]                   latest sweep
mmclf runs [--where "KEY > VALUE"] [--sort KEY] [--last N] [--by arm]
    [--format csv]                  the tracked runs with their ids, or a
                                    leaderboard of arms
mmclf runs --send RUN_ID            send what a run could not while its server
                                    was away
mmclf diff ID ID                    what differs between two runs: settings,
                                    data, code, packages, hardware, metrics
mmclf predict RUN_ID [data.KEY=VALUE ...] [--out FILE] [--labels names]
    [--probabilities] [--top K]     labels for what the run's source reads, in
                                    its form
mmclf predict RUN_ID --root DIR     labels for a competition's DIR/test.csv
mmclf explain RUN_ID ID ... [--out DIR] [--top K]
                                    which part of the picture and which words
                                    speak for each label
mmclf export RUN_ID --format onnx [--out DIR]
                                    the model as ONNX, its head and the whole,
                                    checked against torch
mmclf show [GROUP [LEVEL]]          the config groups, a group's levels, a
                                    level's settings
mmclf doctor [OVERRIDE ...] [--no-images] [--format text,md] [--track]
                                    what is wrong with the data, or odd, before
                                    any run
mmclf data init FILE_OR_FOLDER [--name NAME]
                                    how it is read, guessed and written as
                                    data=NAME
mmclf cache [--verify] [--prune LIMIT ...]
                                    what is stored, and by which run; LIMIT is
                                    30d or 10GB

mmclf COMMAND --help says more. Options and overrides may stand before or after
a command, in any order. NAME is a study's, also as study=NAME.

An override is KEY=VALUE: the level of a group, as vision=efficientnet_lite0, or
a setting, as trainer.epochs=5. The commands take output_dir=DIR,
tracking.uri=URI, tracking.experiment=NAME; cache, predict and explain take
store.dir=DIR as well, predict and explain device=NAME and
allow_targets=[MODULE] too, doctor and plan all that a run takes.

{groups}

--config-dir DIR    a folder of config groups of your own, beside the shipped
--cfg job           print the composed configuration, run nothing; of a sweep
                    that of its first job; with --resolve, as the run sees it
--info              where settings come from, and what Hydra has installed
--hydra-help        Hydra's own options
eval "$(mmclf -sc install=bash)"
                    the Tab key completes commands, levels and settings in bash;
                    zsh and fish too

Exit status: 0 all went well, 1 a run failed, 2 bad input or configuration,
130 interrupted.
HYDRA_FULL_ERROR=1 in the environment shows tracebacks.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    open_standard_streams()
    status = _status(arguments)
    lost = lost_output()
    if status == INTERRUPTED and argv is None:
        _end_soon()
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
    return _said(partial(_run, arguments))


def _run(arguments: list[str]) -> int:
    """Run a command, as the main one of several processes if a launcher has started them."""
    process = launched()
    if process is None:
        return _checked(arguments)
    environment.share_cores(process.local_count)
    # Late: docs/architecture.md#late-imports
    from mmclf.cli.processes import run_in_processes

    return run_in_processes(process, lambda world: _said(partial(_checked, arguments, world)))


def _checked(arguments: list[str], world: World | None = None) -> int:
    """Run a command, unless its words hold a password."""
    check_words(arguments)
    return _command(arguments, world)(arguments)


def _said(run: Callable[[], int]) -> int:
    """The exit status of what is run; its errors are said."""
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        return run()
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


def _end_soon() -> None:
    """End the process after `EXIT_S`, whatever a library waits for at its exit.

    Python joins the threads of pools, as of an upload to a server that says nothing.
    """
    timer = threading.Timer(EXIT_S, os._exit, (INTERRUPTED,))
    timer.daemon = True
    timer.start()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _command(arguments: Sequence[str], world: World | None = None) -> Callable[[list[str]], int]:
    # Late, by name: docs/architecture.md#late-imports
    name, others = split_command(arguments, SUBCOMMANDS)
    if name is None and {"-h", "--help", "help"} & set(arguments):
        return _help
    if "--version" in arguments:
        return _version
    if name is None:
        check_no_words(arguments, SUBCOMMANDS, conf_dir())
        return partial(_imported("mmclf.cli.launch", "launch"), world=world)
    command = _imported(SUBCOMMANDS[name], name)
    return lambda _: command(others)


def _imported(module: str, command: str) -> Callable[..., int]:
    function: Callable[..., int] = getattr(import_module(module), command)
    return function


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
