"""Tracking: the only module that knows MLflow."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

# MLflow sends usage data to its makers unless told otherwise, also from nodes without a network.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Its bar would stand in logs too, for files that are there already.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from filelock import FileLock
from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME
from mlflow.utils.time import get_current_time_millis

from mmclf.errors import InputError, suggestion

Status = Literal["FINISHED", "FAILED", "KILLED"]
PARAMS_A_CALL = 100
METRICS_A_CALL = 1000
LONGEST_TAG = 5000
LONGEST_PARAM = 6000
LONGEST_KEY = 250
ID_LENGTH = 32  # of a run's, in hexadecimal
LISTED_IDS = 5


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

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics at a step, in as few calls as MLflow admits."""
        self._log({step: values})

    def history(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """Log the metrics of epochs that are over, at the steps from 1 on."""
        self._log(dict(enumerate(epochs, start=1)))

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
            _check_exists(uri)
        try:
            with _init_lock(uri):
                _make_whole(uri)
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
            raise InputError(
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

        Raises InputError if the run has no such artifact.
        """
        try:
            return Path(self.client.download_artifacts(run.id, name, str(folder)))
        except (MlflowException, OSError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"the run {run.id} ({run.status}) has no artifact {name!r} that can be fetched "
                f"({first}): expected a run that has finished, which a sweep's parent is not; "
                "`mmclf runs` lists the runs"
            ) from error


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


def _check_exists(uri: str) -> None:
    # Asked for anything, MLflow would make the database.
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
        raise InputError(
            f"there is no database at {uri}: start a run first, or say where it is by "
            "output_dir=DIR or tracking.uri=URI"
        )


def _make_whole(uri: str) -> None:
    """Make a sqlite database that there is not, its tables and all, or nothing of it.

    A process that is killed while MLflow makes the tables would leave some that it cannot go on
    from.
    """
    database = _sqlite_file(uri)
    if database is None or database.is_file():
        return
    unfinished = database.with_name(f".{database.name}.part")
    unfinished.unlink(missing_ok=True)
    MlflowClient(tracking_uri=f"sqlite:///{unfinished}").search_experiments(max_results=1)
    unfinished.replace(database)


def _sqlite_file(uri: str) -> Path | None:
    """The file of a sqlite database, None for an address of another kind."""
    address = urlsplit(uri)
    if address.scheme != "sqlite" or address.path in ("", "/"):
        return None
    return Path(address.path.removeprefix("/"))


def _init_lock(uri: str) -> AbstractContextManager[object]:
    """A lock beside a sqlite database, whose folder is made; nothing to lock elsewhere."""
    database = _sqlite_file(uri)
    if database is None:
        return nullcontext()
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock")


def key_of(name: str) -> str:
    """`name` as MLflow admits it in a key: any other character as its code, `_x26_` for `&`.

    A slash after the second one belongs to a label's name, and is such a character too.
    """
    *groups, last = name.split("/", maxsplit=2)
    odd = r"." if set(last) == {"."} else r"[^\w\-. :]"
    key = "/".join([*groups, re.sub(odd, lambda found: f"_x{ord(found[0]):x}_", last)])
    if len(key) <= LONGEST_KEY:
        return key
    # Two long names that begin alike are still told apart.
    told = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{key[: LONGEST_KEY - len(told) - 1]}-{told}"
