"""Tracking: the only module that knows MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

# MLflow sends usage data to its makers unless told otherwise, also from nodes without a network.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from filelock import FileLock
from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME
from mlflow.utils.time import get_current_time_millis

from mmclf.errors import InputError

Status = Literal["FINISHED", "FAILED", "KILLED"]
PARAMS_A_CALL = 100
METRICS_A_CALL = 1000
LONGEST_TAG = 5000
LONGEST_PARAM = 6000


@dataclass(frozen=True)
class TrackedRun:
    """A run as it stands in MLflow: metrics are the last logged value of each."""

    id: str
    name: str
    status: str
    started_ms: int
    parent: str | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


class RunLog:
    """Logs to one run that has been started."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client = client
        self.id = run_id

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters, each once."""
        params = [Param(key, str(value)[:LONGEST_PARAM]) for key, value in values.items()]
        for start in range(0, len(params), PARAMS_A_CALL):
            self._client.log_batch(self.id, params=params[start : start + PARAMS_A_CALL])

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics at a step, in as few calls as MLflow admits."""
        now = get_current_time_millis()
        metrics = [Metric(key, float(value), now, step) for key, value in values.items()]
        for start in range(0, len(metrics), METRICS_A_CALL):
            self._client.log_batch(self.id, metrics=metrics[start : start + METRICS_A_CALL])

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        tags = [RunTag(key, value[:LONGEST_TAG]) for key, value in values.items()]
        self._client.log_batch(self.id, tags=tags)

    def artifacts(self, folder: Path) -> None:
        """Copy what lies in `folder`, subfolders too, to the run's artifacts."""
        self._client.log_artifacts(self.id, str(folder))

    def end(self, status: Status) -> None:
        """Mark the run as ended."""
        self._client.set_terminated(self.id, status)


class Tracker:
    """One MLflow experiment at one address.

    A fresh sqlite database gets its tables under a lock, or jobs that start at once lose runs.
    Raises InputError if the address cannot be used.
    """

    def __init__(self, uri: str, experiment: str, output_dir: Path) -> None:
        self.uri = uri
        output_dir.mkdir(parents=True, exist_ok=True)
        artifacts = (output_dir / "artifacts").resolve().as_uri()
        try:
            with FileLock(output_dir / "mlflow.lock"):
                _make_parent(uri)
                self.client = MlflowClient(tracking_uri=uri)
                found = self.client.get_experiment_by_name(experiment)
                self.experiment_id: str = (
                    found.experiment_id
                    if found is not None
                    else self.client.create_experiment(experiment, artifact_location=artifacts)
                )
        except MlflowException as error:
            first = str(error).strip().splitlines()[0]
            raise InputError(
                f"tracking.uri={uri} cannot be used ({first}): expected sqlite:///FILE or the "
                "http address of an MLflow server"
            ) from error

    def start(self, name: str, tags: Mapping[str, str], parent: str | None) -> RunLog:
        """Start a run, a child of the run `parent` unless that is None."""
        given = {key: value[:LONGEST_TAG] for key, value in tags.items()}
        given[MLFLOW_RUN_NAME] = name
        given[MLFLOW_SOURCE_NAME] = "mmclf"
        if parent is not None:
            given[MLFLOW_PARENT_RUN_ID] = parent
        run = self.client.create_run(self.experiment_id, tags=given)
        return RunLog(self.client, run.info.run_id)

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str], parent: str | None) -> Iterator[RunLog]:
        """A run that ends FINISHED, FAILED with the tag `mmclf.error`, or KILLED if interrupted."""
        log = self.start(name, tags, parent)
        try:
            yield log
        except KeyboardInterrupt:
            log.end("KILLED")
            raise
        except BaseException as error:
            log.tags({"mmclf.error": f"{type(error).__name__}: {error}"})
            log.end("FAILED")
            raise
        log.end("FINISHED")

    def runs(self) -> list[TrackedRun]:
        """All runs of the experiment, the latest first."""
        found: list[TrackedRun] = []
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment_id],
                run_view_type=ViewType.ACTIVE_ONLY,
                max_results=1000,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            found += [_tracked(run) for run in page]
            token = page.token
            if not token:
                return found

    def children(self, parent: str) -> list[TrackedRun]:
        """The runs below the run `parent`, the latest first."""
        return [run for run in self.runs() if run.parent == parent]

    def get(self, run_ids: Sequence[str]) -> list[TrackedRun]:
        """These runs, in this order; raises InputError for an id that there is not."""
        try:
            return [_tracked(self.client.get_run(run_id)) for run_id in run_ids]
        except MlflowException as error:
            first = str(error).strip().splitlines()[0]
            raise InputError(f"{first} in {self.uri}: `mmclf runs` lists the runs") from error


def _tracked(run: Run) -> TrackedRun:
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


def _make_parent(uri: str) -> None:
    address = urlsplit(uri)
    if address.scheme == "sqlite" and address.path not in ("", "/"):
        Path(address.path.removeprefix("/")).parent.mkdir(parents=True, exist_ok=True)
