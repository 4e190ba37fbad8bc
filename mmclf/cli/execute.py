"""Running what a checked command line asks for: Hydra launches one run, a sweep, or a study."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mmclf.config.compose import Command
from mmclf.config.composed import ConfigChecker
from mmclf.config.composer import Composer
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError
from mmclf.pipeline.run import run
from mmclf.pipeline.run_naming import without_passwords
from mmclf.storage import environment
from mmclf.storage.tracking import Tracker
from mmclf.studies.arms import plan_study
from mmclf.studies.report.run_table import write_results
from mmclf.studies.run import run_study
from mmclf.training.device import describe_device


class Job:
    """What Hydra calls with a composed config, here or in a process of its launcher's."""

    def __init__(
        self,
        allowed_modules: Sequence[str],
        wants_traceback: bool,
        config_dir: Path | None = None,
    ) -> None:
        self.allowed_modules = tuple(allowed_modules)
        self.wants_traceback = wants_traceback
        self.config_dir = config_dir

    def __call__(self, cfg: DictConfig) -> float:
        """Run it and print its result; returns the validation metric that the trainer monitors.

        A sweeper that optimises then never sees the test samples. An error is printed at once, as a
        sweep goes on after it.
        """
        if self.allowed_modules and self.config_dir is not None:
            make_importable(self.config_dir, self.allowed_modules)  # a worker may not have done so
        environment.keep_freed_memory()
        try:
            composed = ConfigChecker(self.allowed_modules).check_job(cfg, HydraConfig.get())
            result = run(composed)
        except Exception as error:
            sys.stderr.write(self._report(error, HydraConfig.get().overrides.task))
            raise
        score, seconds = result.metrics["test/f1_samples"], result.metrics["time/wall_s"]
        line = f"run_id: {result.run_id}  test/f1_samples: {score:.4f}  time/wall_s: {seconds:.1f}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return result.metrics[composed.config.trainer.monitor]

    def _report(self, error: Exception, overrides: Sequence[str]) -> str:
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


def execute(hydra: Hydra, composer: Composer, command: Command, asked: Sequence[str]) -> int:
    """Let Hydra run what the command asks for, `asked` as it was given; returns the exit status."""
    match command.kind:
        case "run":
            return _run(hydra, composer, command)
        case "sweep":
            return _sweep(hydra, composer, command)
        case "study":
            return _study(hydra, composer, command, asked)


def _run(hydra: Hydra, composer: Composer, command: Command) -> int:
    job = SingleJob(composer.allowed_modules, _wants_traceback(), composer.loader.config_dir)
    composer.loader.hand_on(command.cfg, composer.overrides)
    hydra.run(composer.config_name, job, composer.overrides)
    if job.error is None:
        return 0
    return 2 if isinstance(job.error, InputError) else 1


def _sweep(hydra: Hydra, composer: Composer, command: Command) -> int:
    config = command.first.config
    tracker = Tracker(config.tracking.uri, config.tracking.experiment, Path(config.output_dir))
    asked = without_passwords(" ".join(composer.overrides))
    tags = {
        "mmclf.overrides": asked,
        "mmclf.hardware": describe_device(config.device),
        "mmclf.versions": environment.versions(),
    }
    parent = tracker.start(f"sweep: {asked}", tags, None)
    try:
        stopped = _multirun(hydra, composer, command, parent.id)
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
    listed = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items()))
    sys.stdout.write(f"sweep_id: {parent.id}  runs: {listed}\n")
    if went_well:
        return 0
    return 2 if isinstance(stopped, InputError) and not runs else 1


def _study(hydra: Hydra, composer: Composer, command: Command, asked: Sequence[str]) -> int:
    def run_jobs(parent: str) -> Exception | None:
        return _multirun(hydra, composer, command, parent)

    return run_study(plan_study(composer, command), asked, run_jobs)


def _multirun(hydra: Hydra, composer: Composer, command: Command, parent: str) -> Exception | None:
    """Launch the jobs as children of the run `parent`; gives the error that stopped them."""
    cfg, to_parent = command.cfg, f"tracking.parent='{parent}'"
    cfg.tracking.parent = parent
    cfg.hydra.overrides.task.append(to_parent)
    overrides = [*composer.overrides, to_parent]
    if cfg.hydra.mode != RunMode.MULTIRUN:
        cfg.hydra.mode = RunMode.MULTIRUN
        cfg.hydra.overrides.hydra.append("hydra.mode=MULTIRUN")
        overrides.append("hydra.mode=MULTIRUN")
    job = Job(composer.allowed_modules, _wants_traceback(), composer.loader.config_dir)
    composer.loader.hand_on(cfg, overrides)
    # Hydra raises the first job's error after the last job.
    try:
        hydra.multirun(composer.config_name, job, overrides)
    except Exception as error:
        return error
    return None


def _wants_traceback() -> bool:
    return os.environ.get("HYDRA_FULL_ERROR") == "1"
