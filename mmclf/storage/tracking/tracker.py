"""Runs in MLflow: logging to them, and reading them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME
from mlflow.utils.time import get_current_time_millis

from mmclf.errors import ArtifactError, InputError, NothingTrackedError, is_interruption, suggestion
from mmclf.storage.addresses import check_address
from mmclf.storage.tracking.database import (
    absolute_uri,
    check_exists,
    create_database,
    init_lock,
    sqlite_file,
)
from mmclf.storage.tracking.keys import key_of
from mmclf.storage.tracking.uninterrupted import uninterrupted

Status = Literal["FINISHED", "FAILED", "KILLED"]
PARAMS_A_CALL = 100
METRICS_A_CALL = 1000
LONGEST_TAG = 5000
LONGEST_PARAM = 6000
ID_LENGTH = 32  # of a run's, in hexadecimal
LISTED_IDS = 5
CURVE = "epoch/"  # prefix of the metrics with a value per epoch


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


class RunLog:
    """Logs to one run; an interruption waits for a write to a sqlite database."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client = client
        self.id = run_id
        is_sqlite = sqlite_file(client.tracking_uri) is not None
        self._write: Callable[[], AbstractContextManager[None]] = (
            uninterrupted if is_sqlite else nullcontext
        )

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters, each once."""
        params = [Param(key_of(key), str(value)[:LONGEST_PARAM]) for key, value in values.items()]
        for start in range(0, len(params), PARAMS_A_CALL):
            with self._write():
                self._client.log_batch(self.id, params=params[start : start + PARAMS_A_CALL])

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log metrics at step 0, in as few calls as MLflow allows."""
        self._log({0: values})

    def curves(self, epochs: Mapping[int, Mapping[str, float]]) -> None:
        """Log the metrics of epochs as `epoch/NAME`, with the epoch's number as the step."""
        self._log(
            {
                number: {f"{CURVE}{key}": value for key, value in values.items()}
                for number, values in epochs.items()
            }
        )

    def _log(self, steps: Mapping[int, Mapping[str, float]]) -> None:
        now = get_current_time_millis()
        metrics = [
            Metric(key_of(key), float(value), now, step)
            for step, values in steps.items()
            for key, value in values.items()
        ]
        for start in range(0, len(metrics), METRICS_A_CALL):
            with self._write():
                self._client.log_batch(self.id, metrics=metrics[start : start + METRICS_A_CALL])

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        tags = [RunTag(key, value[:LONGEST_TAG]) for key, value in values.items()]
        with self._write():
            self._client.log_batch(self.id, tags=tags)

    def artifacts(self, folder: Path) -> None:
        """Copy the content of `folder`, with subfolders, to the run's artifacts.

        Raises InputError if a library is missing that their address needs.
        """
        try:
            self._client.log_artifacts(self.id, str(folder))
        except ImportError as error:
            raise InputError(
                f"the artifacts of the run {self.id} cannot be kept where its experiment does "
                f"({_first_line(error)}): install what that needs, or give another "
                "tracking.experiment"
            ) from error

    def end(self, status: Status) -> None:
        """Mark the run as ended."""
        with self._write():
            self._client.set_terminated(self.id, status)


class Tracker:
    """One experiment in MLflow.

    A new sqlite database is created under a lock: otherwise jobs that start at the same time lose
    runs. Its artifacts go below `output_dir`; a server chooses their location itself. Raises
    InputError if the URI cannot be used or has a password in it, or the experiment was deleted, and
    NothingTrackedError if the experiment does not exist and `create` is False.
    """

    def __init__(self, uri: str, experiment: str, output_dir: Path, *, create: bool = True) -> None:
        check_address("tracking.uri", uri)
        self.uri = uri
        try:
            if not create:
                check_exists(uri)
            with init_lock(uri):
                create_database(uri)
                self.client = MlflowClient(tracking_uri=absolute_uri(uri))
                self.experiment_id = self._experiment(experiment, output_dir, create)
        except InputError:
            raise
        # Not of MLflow alone: SQLAlchemy, drivers of databases and urllib raise kinds of their own.
        except Exception as error:
            raise InputError(
                f"tracking.uri={uri} cannot be used ({_first_line(error)}): expected "
                "sqlite:///FILE or the http address of an MLflow server"
            ) from error

    def _experiment(self, name: str, output_dir: Path, create: bool) -> str:
        experiment = self.client.get_experiment_by_name(name)
        if experiment is not None and experiment.lifecycle_stage == "deleted":
            raise InputError(
                f"tracking.experiment={name} was deleted in {self.uri}: restore it with "
                f"`mlflow experiments restore`, or choose another name"
            )
        if experiment is not None:
            if create:
                self._check_artifacts(name, str(experiment.artifact_location))
            return str(experiment.experiment_id)
        if not create:
            names = [experiment.name for experiment in self.client.search_experiments()]
            raise NothingTrackedError(
                f"tracking.experiment={name} is not in {self.uri}: {suggestion(name, names)}"
            )
        is_local = urlsplit(self.uri).scheme == "sqlite"
        location = (output_dir / "artifacts").resolve().as_uri() if is_local else None
        return str(self.client.create_experiment(name, artifact_location=location))

    def _check_artifacts(self, name: str, location: str) -> None:
        """Raise InputError if artifacts cannot be kept at an experiment's location."""
        try:
            get_artifact_repository(location, self.client.tracking_uri)
        except Exception as error:  # as in `fetch`
            raise InputError(
                f"tracking.experiment={name} keeps artifacts where they cannot be kept from here "
                f"({_first_line(error)}): install what that needs, or give another experiment"
            ) from error

    def start(self, name: str, tags: Mapping[str, str], parent: str | None) -> RunLog:
        """Start a run, as a child of the run `parent` unless that is None."""
        run_tags = {key: value[:LONGEST_TAG] for key, value in tags.items()}
        run_tags[MLFLOW_RUN_NAME] = name
        run_tags[MLFLOW_SOURCE_NAME] = "mmclf"
        if parent is not None:
            run_tags[MLFLOW_PARENT_RUN_ID] = parent
        run = self.client.create_run(self.experiment_id, tags=run_tags)
        return RunLog(self.client, run.info.run_id)

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str], parent: str | None) -> Iterator[RunLog]:
        """A run that ends FINISHED, FAILED with the tag `mmclf.error`, or KILLED if interrupted."""
        log = self.start(name, tags, parent)
        try:
            yield log
        except BaseException as error:
            if is_interruption(error):
                log.end("KILLED")
                raise KeyboardInterrupt from error
            log.tags({"mmclf.error": f"{type(error).__name__}: {error}"})
            log.end("FAILED")
            raise
        log.end("FINISHED")

    def runs(self) -> list[TrackedRun]:
        """All runs of the experiment, the most recent first."""
        return self._search("")

    def children(self, parent: str) -> list[TrackedRun]:
        """The child runs of the run `parent`, the most recent first."""
        return self._search(f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent}'")

    def tagged(self, tag: str, value: str) -> list[TrackedRun]:
        """The runs whose tag `tag` has this value, the most recent first."""
        # MLflow's filters cannot escape quotes, so the value is compared here.
        return [run for run in self._search(f"tags.`{tag}` != ''") if run.tags.get(tag) == value]

    def _search(self, condition: str) -> list[TrackedRun]:
        runs: list[TrackedRun] = []
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment_id],
                filter_string=condition,
                run_view_type=ViewType.ACTIVE_ONLY,
                max_results=1000,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            runs += [_tracked_run(run) for run in page]
            token = page.token
            if not token:
                return runs

    def log_of(self, run_id: str) -> RunLog:
        """A log of an existing run, whether or not it has ended."""
        return RunLog(self.client, run_id)

    def reopen(self, run_id: str) -> RunLog:
        """Resume an existing run: mark it as running, and log to it."""
        self.client.update_run(run_id, status="RUNNING")
        return self.log_of(run_id)

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """The steps and values of a metric of a run, in order."""
        logged = self.client.get_metric_history(run_id, key_of(metric))
        return sorted({point.step: float(point.value) for point in logged}.items())

    def get(self, run_ids: Sequence[str]) -> list[TrackedRun]:
        """The runs with these ids, in this order; raises InputError for an unknown id."""
        try:
            return [_tracked_run(self.client.get_run(run_id)) for run_id in run_ids]
        except MlflowException as error:
            first = str(error).strip().splitlines()[0]
            raise InputError(f"{first} in {self.uri}: `mmclf runs` lists the runs") from error

    def find(self, prefix: str) -> TrackedRun:
        """The run with the id `prefix`, or the one of this experiment whose id begins with it.

        A complete id may belong to any experiment. Raises InputError unless there is exactly one.
        """
        if 0 < len(prefix) < ID_LENGTH:
            matches = [run for run in self.runs() if run.id.startswith(prefix)]
            if len(matches) > 1:
                ids = ", ".join(run.id for run in matches[:LISTED_IDS])
                more = f" and {len(matches) - LISTED_IDS} more" if len(matches) > LISTED_IDS else ""
                raise InputError(
                    f"{len(matches)} runs have ids that begin with {prefix!r} ({ids}{more}): "
                    "give more of the id"
                )
            if matches:
                return matches[0]
        return self.get([prefix])[0]

    def fetch(self, run: TrackedRun, name: str, folder: Path) -> Path:
        """Download the artifact `name` of a run, a file or a folder, into `folder`.

        Returns the path of the copy. Raises InputError if it cannot be downloaded, ArtifactError
        if the run has no such artifact.
        """
        try:
            return Path(self.client.download_artifacts(run.id, name, str(folder)))
        # Clients of other addresses than MLflow's own raise kinds of their own, or are missing.
        except Exception as error:
            first = _first_line(error)
            kind = ArtifactError if self._lacks(run, name) else InputError
            raise kind(
                f"the run {run.id} ({run.status}) has no artifact {name!r} that can be fetched "
                f"({first}): expected a run that has finished, which a sweep's parent is not; "
                "`mmclf runs` lists the runs"
            ) from error

    def _lacks(self, run: TrackedRun, name: str) -> bool:
        """Whether the artifacts of a run can be listed, and `name` is not among them."""
        try:
            listed = self.client.list_artifacts(run.id, name.rpartition("/")[0] or None)
        except Exception:
            return False
        return all(artifact.path != name for artifact in listed)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _tracked_run(run: Run) -> TrackedRun:
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
