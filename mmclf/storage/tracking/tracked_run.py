"""A run as it is read from MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern

from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from mmclf.errors import InputError
from mmclf.storage.tracking.keys import RUN_ID


@dataclass(frozen=True)
class TrackedRun:
    """A run read from MLflow.

    `metrics`: the last logged value of each. `artifact_uri`: where its artifacts are; empty where
    it was not read.
    """

    id: str
    name: str
    status: str
    started_ms: int
    parent: str | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    artifact_uri: str = ""


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
        # One copy of each name and of each value that recurs, however many runs are read.
        tags={intern(k): intern(v) for k, v in run.data.tags.items() if k.startswith("mmclf.")},
        params={intern(k): intern(v) for k, v in run.data.params.items()},
        metrics={intern(k): v for k, v in run.data.metrics.items()},
        artifact_uri=run.info.artifact_uri or "",
    )
