"""Runs in MLflow: logged while they go, read back later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME
from mlflow.utils.time import get_current_time_millis

from mmclf.errors import ArtifactError, InputError, NothingTrackedError, suggestion
from mmclf.storage.tracking.database import check_exists, init_lock, make_whole
from mmclf.storage.tracking.keys import key_of

Status = Literal["FINISHED", "FAILED", "KILLED"]
PARAMS_A_CALL = 100
METRICS_A_CALL = 1000
LONGEST_TAG = 5000
LONGEST_PARAM = 6000
ID_LENGTH = 32  # of a run's, in hexadecimal
LISTED_IDS = 5
CURVE = "epoch/"  # begins the names of metrics that have a value an epoch


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
        params = [Param(key_of(key), str(value)[:LONGEST_PARAM]) for key, value in values.items()]
        for start in range(0, len(params), PARAMS_A_CALL):
            self._client.log_batch(self.id, params=params[start : start + PARAMS_A_CALL])

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log metrics once, without a step, in as few calls as MLflow admits."""
        self._log({0: values})

    def curves(self, epochs: Mapping[int, Mapping[str, float]]) -> None:
        """Log the metrics of epochs, by their numbers, as `epoch/NAME` at these steps."""
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

    A fresh sqlite database gets its tables under a lock, or jobs that start at once lose runs. Its
    artifacts go below `output_dir`; a server keeps them where it likes. Raises InputError if the
    address cannot be used, the experiment was deleted, or, unless `create`, one does not exist.
    """

    def __init__(self, uri: str, experiment: str, output_dir: Path, *, create: bool = True) -> None:
        self.uri = uri
        if not create:
            check_exists(uri)
        try:
            with init_lock(uri):
                make_whole(uri)
                self.client = MlflowClient(tracking_uri=uri)
                self.experiment_id = self._experiment(experiment, output_dir, create)
        except MlflowException as error:
            first = str(error).strip().splitlines()[0]
            raise InputError(
                f"tracking.uri={uri} cannot be used ({first}): expected sqlite:///FILE or the "
                "http address of an MLflow server"
            ) from error

    def _experiment(self, name: str, output_dir: Path, create: bool) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage == "deleted":
            raise InputError(
                f"tracking.experiment={name} was deleted in {self.uri}: restore it with "
                f"`mlflow experiments restore`, or choose another name"
            )
        if found is not None:
            return str(found.experiment_id)
        if not create:
            known = [experiment.name for experiment in self.client.search_experiments()]
            raise NothingTrackedError(
                f"tracking.experiment={name} is not in {self.uri}: {suggestion(name, known)}"
            )
        is_local = urlsplit(self.uri).scheme == "sqlite"
        location = (output_dir / "artifacts").resolve().as_uri() if is_local else None
        return str(self.client.create_experiment(name, artifact_location=location))

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
        return self._search("")

    def children(self, parent: str) -> list[TrackedRun]:
        """The runs below the run `parent`, the latest first."""
        return self._search(f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent}'")

    def tagged(self, tag: str, value: str) -> list[TrackedRun]:
        """The runs whose tag has this value, the latest first."""
        # MLflow's filters have no escape for quotes, so a value that has some is compared here.
        return [run for run in self._search(f"tags.`{tag}` != ''") if run.tags.get(tag) == value]

    def _search(self, condition: str) -> list[TrackedRun]:
        found: list[TrackedRun] = []
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
            found += [_tracked(run) for run in page]
            token = page.token
            if not token:
                return found

    def log_of(self, run_id: str) -> RunLog:
        """What logs to a run that was started before, whether or not it has ended."""
        return RunLog(self.client, run_id)

    def reopen(self, run_id: str) -> RunLog:
        """A run that has ended, or whose process has, to be gone on with."""
        self.client.update_run(run_id, status="RUNNING")
        return self.log_of(run_id)

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """Each step of a metric of a run, and its value there."""
        logged = self.client.get_metric_history(run_id, key_of(metric))
        return sorted({point.step: float(point.value) for point in logged}.items())

    def get(self, run_ids: Sequence[str]) -> list[TrackedRun]:
        """These runs, in this order; raises InputError for an id that there is not."""
        try:
            return [_tracked(self.client.get_run(run_id)) for run_id in run_ids]
        except MlflowException as error:
            first = str(error).strip().splitlines()[0]
            raise InputError(f"{first} in {self.uri}: `mmclf runs` lists the runs") from error

    def find(self, beginning: str) -> TrackedRun:
        """The run with this id, of any experiment, or the one of this experiment that begins so.

        Raises InputError if there is none, or more than one.
        """
        if 0 < len(beginning) < ID_LENGTH:
            found = [run for run in self.runs() if run.id.startswith(beginning)]
            if len(found) > 1:
                ids = ", ".join(run.id for run in found[:LISTED_IDS])
                more = f" and {len(found) - LISTED_IDS} more" if len(found) > LISTED_IDS else ""
                raise InputError(
                    f"{len(found)} runs have ids that begin with {beginning!r} ({ids}{more}): "
                    "give more of the id"
                )
            if found:
                return found[0]
        return self.get([beginning])[0]

    def fetch(self, run: TrackedRun, name: str, folder: Path) -> Path:
        """Copy the artifact `name` of a run, a file or a folder, into `folder`; where it lies now.

        Raises InputError if it cannot be had, ArtifactError if the run has no such artifact.
        """
        try:
            return Path(self.client.download_artifacts(run.id, name, str(folder)))
        except (MlflowException, OSError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            kind = ArtifactError if self._lacks(run, name) else InputError
            raise kind(
                f"the run {run.id} ({run.status}) has no artifact {name!r} that can be fetched "
                f"({first}): expected a run that has finished, which a sweep's parent is not; "
                "`mmclf runs` lists the runs"
            ) from error

    def _lacks(self, run: TrackedRun, name: str) -> bool:
        """Whether the artifacts of a run can be listed, and this is not among them."""
        try:
            listed = self.client.list_artifacts(run.id, name.rpartition("/")[0] or None)
        except (MlflowException, OSError):
            return False
        return all(artifact.path != name for artifact in listed)


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
