"""A job of a sweep or study as Hydra runs it, in a process of a launcher's on any machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from mmclf.errors import InputError
from mmclf.storage.batch_job import task_variables


@dataclass(frozen=True)
class WorkerJobs:
    """What the jobs of one launch have in common, which goes to each worker.

    Args:
        context: with the checked loader.
        task: what Hydra calls.
        config: of the sweep.
        singletons: Hydra's global state.
        folder: the command's working folder, from which relative paths go out.
        launch_id: of this launch, in the names of its jobs.

    """

    context: HydraContext
    task: TaskFunction
    config: DictConfig
    singletons: Any
    folder: Path
    launch_id: str

    @classmethod
    def of(cls, context: HydraContext, task: TaskFunction, config: DictConfig) -> Self:
        """Take the state of this process; makes the sweep's folder."""
        setup_globals()
        configure_log(config.hydra.hydra_logging, config.hydra.verbose)
        Path(str(config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        return cls(context, task, config, Singleton.get_state(), Path.cwd(), uuid4().hex[:12])

    def run(self, number: int, overrides: Sequence[str], restarts: int) -> JobReturn:
        """Run the job in this process; `restarts`: how often its process or machine died.

        Raises InputError if this machine lacks the command's working folder.
        """
        if not self.folder.is_dir():
            raise InputError(
                f"{self.folder}: no such folder on {os.uname().nodename}, where a run of this "
                "command was to start: every node needs it, on a shared file system or its own disk"
            )
        os.chdir(self.folder)
        os.environ.update(task_variables(f"{self.launch_id}_{number}", restarts))
        setup_globals()
        Singleton.set_state(self.singletons)
        config = self.context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = f"{config.hydra.job.name}_{number}"
            config.hydra.job.num = number
        HydraConfig.instance().set_config(config)
        return run_job(
            hydra_context=self.context,
            config=config,
            task_function=self.task,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
