"""Hydra's application: one run, or a sweep whose runs are children of one parent run."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from mmclf.config.compose import check_command, composed_job
from mmclf.config.loader import conf_dir
from mmclf.config.overrides import granted_by
from mmclf.config.schema import Composed
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError
from mmclf.pipeline.run_naming import without_passwords
from mmclf.storage import environment
from mmclf.studies.arms import PlannedStudy, compose_study
from mmclf.training.device import describe_device

# Hydra raises errors where this is "1", else prints them and exits.
FULL_ERROR = "HYDRA_FULL_ERROR"
REFUSED = {
    "experimental_rerun": "it would unpickle a file, and that can run anything: give the overrides "
    "that the run's overrides.yaml lists",
    "config_path": "the shipped config groups would be missing: give --config-dir for a folder of "
    "your own groups",
}


class Job:
    """What Hydra calls with a composed config, here or in a process of its launcher's."""

    def __init__(
        self, granted: Sequence[str], wants_traceback: bool, config_dir: Path | None = None
    ) -> None:
        self.granted = tuple(granted)
        self.wants_traceback = wants_traceback
        self.config_dir = config_dir

    def __call__(self, cfg: DictConfig) -> float:
        """Run it and print what came out; returns test/f1_samples, for sweepers that optimise.

        An error is told at once, as a sweep goes on after it.
        """
        from mmclf.pipeline.run import run

        if self.granted and self.config_dir is not None:
            make_importable(self.config_dir, self.granted)  # a launcher may start a process anew
        environment.keep_freed_memory()
        try:
            result = run(composed_job(cfg, HydraConfig.get(), self.granted))
        except Exception as error:
            sys.stderr.write(self._told(error, HydraConfig.get().overrides.task))
            raise
        score, seconds = result.metrics["test/f1_samples"], result.metrics["time/wall_s"]
        line = f"run_id: {result.run_id}  test/f1_samples: {score:.4f}  time/wall_s: {seconds:.1f}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return score

    def _told(self, error: Exception, overrides: Sequence[str]) -> str:
        trace = "".join(traceback.format_exception(error)) if self.wants_traceback else ""
        what = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        where = f"  in the run of {' '.join(overrides)}\n" if overrides else ""
        return f"{trace}mmclf: {what}\n{where}"


class SingleJob(Job):
    """A job that keeps its error, as Hydra would wrap it in words of its own."""

    error: Exception | None = None

    def __call__(self, cfg: DictConfig) -> float:
        """As a job of a sweep, but an error is kept in `error`."""
        try:
            return super().__call__(cfg)
        except Exception as error:
            self.error = error
            return float("nan")


def launch(arguments: list[str]) -> int:
    """Check the command line, then hand it to Hydra; returns the exit status.

    Raises InputError, before anything is run, for what is wrong with the command line.
    """
    flags = get_args_parser().parse_intermixed_args(arguments)
    # Hydra wants all overrides in one place, not some before a flag and some after it.
    arguments = [*(a for a in arguments if a not in flags.overrides), *flags.overrides]
    for flag, why in REFUSED.items():
        if getattr(flags, flag) is not None:
            raise InputError(f"--{flag.replace('_', '-')} is refused: {why}")
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    config_name = flags.config_name if flags.config_name is not None else "config"
    config_dir = Path(flags.config_dir) if flags.config_dir is not None else None
    job = SingleJob(granted_by(flags.overrides), wants_traceback, config_dir)
    if flags.hydra_help or flags.shell_completion:
        # Both compose the configuration and set up its logging, so it is checked here too.
        check_command((), config_dir, config_name)
        if flags.hydra_help and flags.overrides:
            raise InputError("--hydra-help takes no overrides: leave them out")
        _hand_to_hydra(arguments, config_name, job)
        return 0
    command = check_command(flags.overrides, config_dir, config_name, multirun=flags.multirun)
    if flags.cfg is not None or flags.info is not None:
        _hand_to_hydra(arguments, config_name, job)
        return 0
    describe_device(command.first.config.device)  # raises InputError if there is no such one
    if command.first.config.study is not None:
        planned = compose_study(flags.overrides, config_dir, config_name)
        study_job = Job(job.granted, wants_traceback, config_dir)
        return _study(arguments, config_name, planned, study_job)
    if command.multirun:
        sweep_job = Job(job.granted, wants_traceback, config_dir)
        return _sweep(arguments, flags.overrides, config_name, command.first, sweep_job)
    _hand_to_hydra(arguments, config_name, job)
    if job.error is None:
        return 0
    return 2 if isinstance(job.error, InputError) else 1


def _sweep(
    arguments: list[str], overrides: Sequence[str], config_name: str, first: Composed, job: Job
) -> int:
    from mmclf.storage.tracking import Tracker
    from mmclf.studies.report.table import write_results

    config = first.config
    tracker = Tracker(config.tracking.uri, config.tracking.experiment, Path(config.output_dir))
    asked = without_passwords(" ".join(overrides))
    tags = {
        "mmclf.overrides": asked,
        "mmclf.hardware": describe_device(config.device),
        "mmclf.versions": environment.versions(),
    }
    parent = tracker.start(f"sweep: {asked}", tags, None)
    try:
        stopped = _swept([*arguments, f"tracking.parent='{parent.id}'"], config_name, job)
        runs = sorted(tracker.children(parent.id), key=lambda run: run.started_ms)
        with tempfile.TemporaryDirectory() as folder:
            write_results(Path(folder), runs)
            parent.artifacts(Path(folder))
    except BaseException as error:
        parent.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    counts = Counter(run.status for run in runs)
    went_well = stopped is None and counts["FINISHED"] == len(runs)
    parent.end("FINISHED" if went_well else "FAILED")
    if stopped is not None and counts["FAILED"] == 0:
        sys.stderr.write(f"mmclf: the sweep stopped: {type(stopped).__name__}: {stopped}\n")
    told = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items()))
    sys.stdout.write(f"sweep_id: {parent.id}  runs: {told}\n")
    return 0 if went_well else 1


def _study(arguments: list[str], config_name: str, planned: PlannedStudy, job: Job) -> int:
    from mmclf.studies.run import run_study

    def run_jobs(parent: str) -> Exception | None:
        return _swept([*arguments, f"tracking.parent='{parent}'"], config_name, job)

    return run_study(planned, arguments, run_jobs)


def _swept(arguments: list[str], config_name: str, job: Job) -> Exception | None:
    # Hydra raises the first job's error after the last job.
    try:
        _hand_to_hydra(arguments, config_name, job)
    except Exception as error:
        return error
    return None


def _hand_to_hydra(arguments: list[str], config_name: str, job: Job) -> None:
    """Let Hydra compose and call `job`; its errors are raised, not printed."""
    application = hydra.main(
        config_path=str(conf_dir()), config_name=config_name, version_base="1.3"
    )(job)
    argv, full_error = sys.argv, os.environ.get(FULL_ERROR)
    sys.argv, os.environ[FULL_ERROR] = ["mmclf", *arguments], "1"
    try:
        application()
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ[FULL_ERROR]
