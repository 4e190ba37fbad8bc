"""The launcher's class alone, here because Hydra finds launchers nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class RayLauncher(Launcher):  # type: ignore[misc]  # Hydra has no types
    """Runs jobs as tasks of Ray, each with a share of a machine's cores and GPUs.

    `address`: `auto` for a cluster that there is, `local` for one of this machine alone.
    """

    def __init__(self, address: str, num_cpus: float, num_gpus: float) -> None:
        self.address, self.num_cpus, self.num_gpus = address, num_cpus, num_gpus

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what a job needs."""
        self.hydra_context, self.task_function = hydra_context, task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; what each returned, in their order."""
        # Late: docs/architecture.md#late-imports
        from mmclf.cli.ray_cluster import Share, cluster
        from mmclf.cli.ray_tasks import run_tasks
        from mmclf.cli.worker_job import WorkerJobs

        jobs = WorkerJobs.of(self.hydra_context, self.task_function, self.config)
        share = Share(self.num_cpus, self.num_gpus)
        with cluster(self.address):
            return run_tasks(jobs, job_overrides, initial_job_idx, share)
