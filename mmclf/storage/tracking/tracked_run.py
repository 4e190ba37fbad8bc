"""A run as it is read from MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from mmclf.errors import InputError
from mmclf.storage.tracking.keys import RUN_ID


@dataclass(frozen=True)
class TrackedRun:
    """A run read from MLflow; `metrics` holds the last logged value of each."""

    id: str
    name: str
    status: str
    started_ms: int
    parent: str | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def tracked_run(run: Run) -> TrackedRun:
    """A run of MLflow as plain values; raises InputError for an id that MLflow gives to none."""
    if RUN_ID.fullmatch(run.info.run_id) is None:
        # A folder may be called after it.
        raise InputError(
            f"the database holds a run with the id {run.info.run_id!r}, expected letters and "
            "digits: it was not written by MLflow, and is not read"
        )
    return TrackedRun(
        id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        started_ms=run.info.start_time,
        parent=run.data.tags.get(MLFLOW_PARENT_RUN_ID),
        tags={k: v for k, v in run.data.tags.items() if k.startswith("mmclf.")},
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
    )
