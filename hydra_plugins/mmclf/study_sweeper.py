"""The sweeper's class alone, here because Hydra finds sweepers nowhere else."""

from __future__ import annotations

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class StudySweeper(Sweeper):  # type: ignore[misc]  # Hydra has no types
    """Launches, by whatever launcher there is, the runs that a study still lacks."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take the composed study, and make its launcher."""
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Launch every missing run at once; how each ended is tracked."""
        # Late: docs/architecture.md#late-imports
        from mmclf.studies.pending import pending_jobs

        study, tracking = (_plain(self.config[key]) for key in ("study", "tracking"))
        jobs = pending_jobs(study, tracking, self.config.output_dir, arguments)
        return self.launcher.launch(jobs, initial_job_idx=0) if jobs else []


def _plain(node: DictConfig) -> dict[str, Any]:
    container = OmegaConf.to_container(node, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}
