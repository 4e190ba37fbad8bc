"""The job that Hydra calls: one run, printed with its score; alone, or in a sweep or study."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from mmclf.config.compose import Command
from mmclf.config.composed import ConfigChecker
from mmclf.config.composer import Composer
from mmclf.config.grants import Grants
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError, TakenOverError
from mmclf.messages import say, tell, unforeseen
from mmclf.pipeline.run import run
from mmclf.storage import environment
from mmclf.studies.cells import claim


class Job:
    """What Hydra calls with a composed config, here or in a process of its launcher's."""

    def __init__(
        self,
        grants: Grants,
        wants_traceback: bool,
        config_dir: Path | None = None,
    ) -> None:
        self.grants = grants
        self.wants_traceback = wants_traceback
        self.config_dir = config_dir

    def __call__(self, cfg: DictConfig) -> float:
        """Run it and print its result; returns the validation metric that the trainer monitors.

        A sweeper that optimises then never sees the test samples. An error is printed at once, as a
        sweep goes on after it. NaN for a study's cell that another process has done, or is at.
        """
        if self.grants.targets and self.config_dir is not None:
            make_importable(self.config_dir, self.grants.targets)  # a worker may not have done so
        environment.keep_freed_memory()
        try:
            composed = ConfigChecker(self.grants).check_job(cfg, HydraConfig.get())
            cell = claim(composed.config)
            if cell.is_elsewhere:
                return float("nan")
            with cell.lease if cell.lease is not None else nullcontext():
                result = run(composed, cell.lease)
        except TakenOverError as error:
            tell(str(error))
            return float("nan")
        except Exception as error:
            self._report(error, HydraConfig.get().overrides.task)
            raise
        score, seconds = result.metrics["test/f1_samples"], result.metrics["time/wall_s"]
        say(f"run_id: {result.run_id}  test/f1_samples: {score:.4f}  time/wall_s: {seconds:.1f}")
        if sys.stdout is not None:
            sys.stdout.flush()
        return result.metrics[composed.config.trainer.monitor]

    def _report(self, error: Exception, overrides: Sequence[str]) -> None:
        if self.wants_traceback:
            traceback.print_exception(error)
        *problems, last = error.problems if isinstance(error, InputError) else [unforeseen(error)]
        for problem in problems:
            tell(problem)
        tell(f"{last}\n  in the run of {' '.join(overrides)}" if overrides else last)


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


def run_single(hydra: Hydra, composer: Composer, command: Command) -> int:
    """Let Hydra execute the one run of a command; returns the exit status."""
    job = SingleJob(composer.grants, traceback_wanted(), composer.loader.config_dir)
    composer.loader.hand_on(command.cfg, composer.overrides)
    hydra.run(composer.config_name, job, composer.overrides)
    if job.error is None:
        return 0
    return 2 if isinstance(job.error, InputError) else 1


def traceback_wanted() -> bool:
    """Whether HYDRA_FULL_ERROR asks for tracebacks."""
    return os.environ.get("HYDRA_FULL_ERROR") == "1"
