"""Jobs that differ from one another in few overrides, composed as cheaply as can be."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig

from mmclf.config.job import Jobs
from mmclf.config.schema import Composed


class Variations:
    """Variations of the job of some overrides; those that choose the same levels share a base."""

    def __init__(self, jobs: Jobs, lines: Sequence[str]) -> None:
        self._jobs, self._lines = jobs, list(lines)
        self._bases: dict[tuple[str, ...], tuple[DictConfig | None, list[str]]] = {}

    def judged(self, more: Sequence[str]) -> tuple[Composed | None, list[str]]:
        """The job with `more` overrides in its checked form, and all that is wrong with it."""
        levels = tuple(line for line in more if not self._jobs.is_update(line))
        keys = [line for line in more if self._jobs.is_update(line)]
        if levels not in self._bases:
            self._bases[levels] = self._jobs.load([*self._lines, *levels])
        cfg, problems = self._bases[levels]
        if cfg is None or problems:
            return None, problems
        if keys:
            cfg, problems = self._jobs.updated(cfg, keys)
        if cfg is None:
            return None, problems
        composed, more_findings = self._jobs.judged(cfg)
        return composed, [*problems, *more_findings]
