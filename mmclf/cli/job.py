"""The job that Hydra calls: one run, printed with its score; alone, or in a sweep or study."""

from __future__ import annotations

import math
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from mmclf.cli.run_names import RunNames
from mmclf.cli.summary import summary
from mmclf.cli.sweep_lines import SweepLines
from mmclf.config.compose import Command
from mmclf.config.composed import ConfigChecker
from mmclf.config.composer import Composer
from mmclf.config.grants import Grants
from mmclf.config.schema import Config
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError, TakenOverError, say, tell, unforeseen
from mmclf.pipeline.narration import Narrator
from mmclf.pipeline.result import Result
from mmclf.pipeline.run import run
from mmclf.storage import environment
from mmclf.studies.cells import claim

if TYPE_CHECKING:
    from mmclf.training.distributed.world import World


class Job:
    """What Hydra calls with a composed config; returns the metric that the trainer monitors.

    A sweeper that optimises then never sees the test samples. An error is printed at once, as a
    sweep goes on after it.
    """

    def __init__(
        self,
        grants: Grants,
        wants_traceback: bool,
        config_dir: Path | None = None,
        world: World | None = None,
    ) -> None:
        self.world = world
        self.grants = grants
        self.wants_traceback = wants_traceback
        self.config_dir = config_dir

    def __call__(self, cfg: DictConfig) -> float:
        """Run it, and print its summary."""
        done = self.run(cfg, Narrator())
        if done is None:
            return math.nan
        config, result = done
        for line in summary(result, config):
            say(line)
        score, seconds = result.metrics["test/f1_samples"], result.metrics["time/wall_s"]
        say(f"run_id: {result.run_id}  test/f1_samples: {score:.4f}  time/wall_s: {seconds:.1f}")
        if sys.stdout is not None:
            sys.stdout.flush()
        return result.metrics[config.trainer.monitor]

    def run(
        self, cfg: DictConfig, narrator: Narrator, name: str = ""
    ) -> tuple[Config, Result] | None:
        """Run it; an error is printed, with the job's `name` or its overrides, and raised.

        None for a study's cell that another process has done, or is at.
        """
        if self.grants.targets and self.config_dir is not None:
            make_importable(self.config_dir, self.grants.targets)  # a worker may not have done so
        environment.keep_freed_memory()
        try:
            composed = ConfigChecker(self.grants).check_job(cfg, HydraConfig.get())
            cell = claim(composed.config)
            if cell.is_elsewhere:
                return None
            with cell.lease if cell.lease is not None else nullcontext():
                return composed.config, run(composed, cell.lease, narrator, self.world)
        except TakenOverError as error:
            tell(str(error))
            return None
        except Exception as error:
            self._report(error, name or " ".join(HydraConfig.get().overrides.task))
            raise

    def _report(self, error: Exception, job: str) -> None:
        if self.wants_traceback:
            traceback.print_exception(error)
        *problems, last = error.problems if isinstance(error, InputError) else [unforeseen(error)]
        for problem in problems:
            tell(problem)
        tell(f"{last}\n  in the run of {job}" if job else last)


class SingleJob(Job):
    """A job that keeps its error, as Hydra would wrap it in words of its own."""

    error: Exception | None = None

    def __call__(self, cfg: DictConfig) -> float:
        """As a job, but an error is kept in `error`."""
        try:
            return super().__call__(cfg)
        except Exception as error:
            self.error = error
            return math.nan


class SweepJob(Job):
    """One job of many, here or in a process of its launcher's.

    Here it tells in a line how it ended, and keeps the first error, as Hydra would say it again.
    Elsewhere it writes what a single run prints to the log in its folder, as many processes would
    share a terminal; what came of it is read back from MLflow.
    """

    def __init__(
        self, composer: Composer, lines: SweepLines, naming: RunNames, world: World | None = None
    ) -> None:
        super().__init__(composer.grants, traceback_wanted(), composer.loader.config_dir, world)
        self.lines: SweepLines | None = lines
        self.naming = naming
        self.narrator = Narrator(of_many=True)
        self.error: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What another process gets, which has no part in the lines and the world of this one."""
        return {**self.__dict__, "lines": None, "world": None}

    def __call__(self, cfg: DictConfig) -> float:
        """Run it, and tell how it ended."""
        if self.lines is None:
            with _own_log():
                return super().__call__(cfg)
        name = self.naming.of_job(HydraConfig.get().overrides.task, cfg.tracking.arm, cfg.seed)
        self.lines.starts(name)
        try:
            done = self.run(cfg, self.narrator, name)
        except Exception as error:
            self.lines.failed(name)
            self.error = self.error if self.error is not None else error
            return math.nan
        if done is None:
            return math.nan
        config, result = done
        self.lines.finished(name, result.run_id, result.metrics)
        return result.metrics[config.trainer.monitor]


@contextmanager
def _own_log() -> Iterator[None]:
    """Write what is printed to the log in the job's folder, where Hydra's lines go too."""
    hydra = HydraConfig.get()
    path = Path(hydra.runtime.output_dir) / f"{hydra.job.name}.log"
    with (
        path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1) as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        yield


def run_single(
    hydra: Hydra, composer: Composer, command: Command, world: World | None = None
) -> int:
    """Let Hydra execute the one run of a command; returns the exit status."""
    job = SingleJob(composer.grants, traceback_wanted(), composer.loader.config_dir, world)
    composer.loader.hand_on(command.cfg, composer.overrides)
    hydra.run(composer.config_name, job, composer.overrides)
    if job.error is None:
        return 0
    return 2 if isinstance(job.error, InputError) else 1


def traceback_wanted() -> bool:
    """Whether HYDRA_FULL_ERROR asks for tracebacks."""
    return os.environ.get("HYDRA_FULL_ERROR") == "1"
