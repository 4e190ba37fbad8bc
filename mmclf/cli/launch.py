"""The command line without a subcommand: Hydra's flags, and a run, a sweep or a study."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser

from mmclf.cli.completion import complete
from mmclf.cli.ray_cluster import check_ray
from mmclf.config.compose import Command, read_command
from mmclf.config.composer import Composer, open_composer
from mmclf.config.hydra_policy import IN_THIS_PROCESS, RAY_LAUNCHER
from mmclf.config.loader import TASK_NAME
from mmclf.errors import InputError, tell
from mmclf.pipeline.preflight import Preflight
from mmclf.progress import doing
from mmclf.storage.waiting import check_answers
from mmclf.training.hardware import check_device

if TYPE_CHECKING:
    from mmclf.training.distributed.world import World


REFUSED = {
    "experimental_rerun": "it would unpickle a file, and that can run anything: give the overrides "
    "that the run's overrides.yaml lists",
    "config_path": "the shipped config groups would be missing: give --config-dir for a folder of "
    "your own groups",
}


def launch(arguments: list[str], world: World | None = None) -> int:
    """Check the command line, then hand what it composes to Hydra; returns the exit status.

    In a `world` of several processes this is the main one, whose runs the others share.

    Raises InputError, before anything is run, for what is wrong with the command line.
    """
    flags = get_args_parser().parse_intermixed_args(arguments)
    if flags.resolve and flags.cfg is None and flags.info is None:
        flags.cfg = "job"  # which alone can be printed resolved
    _check_flags(flags)
    config_dir = Path(flags.config_dir) if flags.config_dir is not None else None
    is_shown = flags.cfg is not None or flags.info is not None
    also = None if is_shown else Preflight().problems
    with (
        open_composer(flags.overrides, config_dir, flags.config_name, also) as composer,
        ExitStack() as shown,
    ):
        now = shown.enter_context(doing("reading the configuration"))
        config_name = composer.config_name
        hydra = hydra_of(composer)
        if flags.hydra_help:
            shown.close()
            hydra.hydra_help(config_name=config_name, args_parser=get_args_parser(), args=flags)
            return 0
        if flags.shell_completion:
            shown.close()
            complete(hydra, composer, flags.overrides)
            return 0
        command = read_command(composer, multirun=flags.multirun)
        if is_shown:
            shown.close()
            _show(hydra, composer, command, flags)
            return 0
        check_device(command.first.config.device, command.first.config.trainer.precision)
        launcher = command.cfg.hydra.launcher
        if command.kind != "run" and world is not None and launcher._target_ != IN_THIS_PROCESS:
            raise InputError(
                f"hydra.launcher={launcher._target_.rpartition('.')[2]}: it starts processes, "
                f"of which there are {world.size} already: leave it out, or start one process"
            )
        if command.kind != "run" and launcher._target_ == RAY_LAUNCHER:
            check_ray(launcher.address)
        check_output_dir(Path(command.first.config.output_dir))
        # Before what takes long is imported, and the data is read.
        check_answers("tracking.uri", command.first.config.tracking.uri)
        now("loading libraries")
        # Late: docs/architecture.md#late-imports
        if command.kind == "run":
            from mmclf.cli.job import run_single

            shown.close()
            return run_single(hydra, composer, command, world)
        from mmclf.cli.multirun import run_planned_study, run_sweep

        shown.close()
        if command.kind == "sweep":
            return run_sweep(hydra, composer, command, world)
        asked = [*(a for a in arguments if a not in flags.overrides), *flags.overrides]
        return run_planned_study(hydra, composer, command, asked, world)


def hydra_of(composer: Composer) -> Hydra:
    """Hydra behind a composer's checked loader."""
    return Hydra(task_name=TASK_NAME, config_loader=composer.loader)


def check_output_dir(folder: Path) -> None:
    """Make the folder if need be; raises InputError unless one can write to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0")
    except OSError as error:
        raise InputError(
            f"output_dir={folder} cannot be written to ({error.strerror or error}): give "
            "output_dir=DIR of a folder that you may write to, on a disk with space"
        ) from error


def _check_flags(flags: argparse.Namespace) -> None:
    """Raise InputError for flags of Hydra's that are refused, or do not go together."""
    for flag, why in REFUSED.items():
        if getattr(flags, flag) is not None:
            raise InputError(f"--{flag.replace('_', '-')} is refused: {why}")
    if flags.hydra_help and flags.overrides:
        raise InputError("--hydra-help takes no overrides: leave them out")
    shown = {
        "--cfg": flags.cfg is not None,
        "--info": flags.info is not None,
        "--shell-completion": flags.shell_completion,
    }
    # What would be run can be looked at, be it one run or several.
    for given in ({"--run": flags.run, "--multirun": flags.multirun}, shown):
        several = [flag for flag, is_given in given.items() if is_given]
        if len(several) > 1:
            raise InputError(f"found {' and '.join(several)}, expected one of them")


def _show(hydra: Hydra, composer: Composer, command: Command, flags: argparse.Namespace) -> None:
    cfg, overrides = command.cfg, composer.overrides
    if command.kind == "sweep":
        axes, _ = composer.axes(composer.lines)
        lines = [axis.lines[0] for axis in axes]
        swept = [axis.lines[0] for axis in axes if axis.is_sweep]
        tell(f"the first job of the sweep: {' '.join(swept) or 'its only one'}")
        cfg, overrides = composer.compose(lines), composer.beside_searchpath(lines)
    elif command.kind == "study":
        tell(f"what the study starts from; its arms: mmclf plan {command.first.choices['study']}")
    composer.loader.hand_on(cfg, overrides)
    to_show = {"config_name": composer.config_name, "overrides": overrides}
    if flags.info is not None:
        hydra.show_info(flags.info, **to_show)
    else:
        hydra.show_cfg(**to_show, cfg_type=flags.cfg, package=flags.package, resolve=flags.resolve)
