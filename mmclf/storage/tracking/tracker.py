"""Runs in MLflow: started, and read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import (
    MLFLOW_GIT_COMMIT,
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_RUN_NAME,
    MLFLOW_RUN_NOTE,
    MLFLOW_SOURCE_NAME,
    MLFLOW_USER,
)

from mmclf.errors import (
    InputError,
    TakenOverError,
    first_line,
    is_interruption,
)
from mmclf.storage import environment
from mmclf.storage.addresses import check_address
from mmclf.storage.tracking.artifacts import fetch_artifact
from mmclf.storage.tracking.database import (
    absolute_uri,
    ask,
    check_connection,
    check_exists,
    create_database,
    init_lock,
    shown_uri,
)
from mmclf.storage.tracking.experiment import existing_experiment, writable_experiment
from mmclf.storage.tracking.keys import key_of
from mmclf.storage.tracking.leases import Leases
from mmclf.storage.tracking.outbox import Patience
from mmclf.storage.tracking.run_log import LONGEST_TAG, RunLog
from mmclf.storage.tracking.search import search_runs
from mmclf.storage.tracking.system_metrics import system_metrics
from mmclf.storage.tracking.tracked_run import TrackedRun, tracked_run
from mmclf.storage.tracking.unsent import FOLDER
from mmclf.storage.waiting import CALL_S, check_answers

PATIENCE_S = 300.0
EVERY_EPOCH = "epoch/val/loss"  # is logged with every epoch
ID_LENGTH = 32  # of a run's, in hexadecimal
LISTED_IDS = 5
UNQUOTED = re.compile(r"[^'\"`\\]+")
NOTE = MLFLOW_RUN_NOTE  # the tag that MLflow shows as a run's description, in Markdown

Value = TypeVar("Value")


class Tracker:
    """One experiment in MLflow.

    A new sqlite database is created under a lock: otherwise jobs that start at the same time lose
    runs. Its artifacts go below `output_dir`; a server chooses their location itself. Raises
    InputError if the URI cannot be used or has a password in it, or the experiment was deleted,
    UnreachableError if nobody answers, and NothingTrackedError if the experiment does not exist and
    `create` is False.

    Args:
        uri: of a database or server.
        experiment: its name.
        output_dir: of the artifacts, and of what could not be sent.
        create: what is missing.
        patience_s: for which a run goes on logging while nobody answers.

    """

    def __init__(
        self,
        uri: str,
        experiment: str,
        output_dir: Path,
        *,
        create: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        check_address("tracking.uri", uri)
        self.uri = uri
        self.unsent = output_dir / FOLDER  # what could not be sent
        self._patience = Patience(patience_s, self.unsent)
        try:
            if not create:
                check_exists(uri)
            check_connection(uri)
            check_answers("tracking.uri", uri)
            if create:
                with init_lock(uri):
                    create_database(uri)
                    self.client = MlflowClient(tracking_uri=absolute_uri(uri))
                    self.experiment_id = self._ask(
                        lambda: writable_experiment(self.client, uri, experiment, output_dir)
                    )
            else:
                self.client = MlflowClient(tracking_uri=absolute_uri(uri))
                self.experiment_id = self._ask(
                    lambda: existing_experiment(self.client, uri, experiment)
                )
        except InputError:
            raise
        # Not of MLflow alone: SQLAlchemy, drivers of databases and urllib raise kinds of their own.
        except Exception as error:
            raise InputError(
                f"tracking.uri={shown_uri(uri)} cannot be used ({first_line(error)}): expected "
                f"{_expected(error)}"
            ) from error

    def _ask(self, call: Callable[[], Value], seconds: float = CALL_S) -> Value:
        return ask(self.uri, call, seconds)

    def start(self, name: str, tags: Mapping[str, str], parent: str | None) -> RunLog:
        """Start a run, as a child of the run `parent` unless that is None.

        Beside `tags` it has the user and the commit of mmclf's source.
        """
        run_tags = {
            MLFLOW_RUN_NAME: name,
            MLFLOW_SOURCE_NAME: "mmclf",
            MLFLOW_USER: environment.user(),
        }
        revision = environment.revision()
        if revision is not None:
            run_tags |= {MLFLOW_GIT_COMMIT: revision.commit, "mmclf.commit": str(revision)}
        run_tags |= {key: value[:LONGEST_TAG] for key, value in tags.items()}
        if parent is not None:
            run_tags[MLFLOW_PARENT_RUN_ID] = parent
        run = self._ask(lambda: self.client.create_run(self.experiment_id, tags=run_tags))
        return RunLog(self.client, run.info.run_id, self._patience, run.info.artifact_uri)

    @contextmanager
    def run(
        self,
        name: str,
        tags: Mapping[str, str],
        parent: str | None,
        again: str | None = None,
        *,
        measured: bool = False,
    ) -> Iterator[RunLog]:
        """A run that ends FINISHED, FAILED with the tag `mmclf.error`, or KILLED.

        KILLED is one that was interrupted, or whose cell of a study another process took over.
        `again`: the id of a run that goes on, as its job was begun again. `measured`: with the
        machine's load as metrics.
        """
        if again is None:
            log = self.start(name, tags, parent)
        else:
            log = self.reopen(again)
            log.go_on(step for step, _ in self.history(again, EVERY_EPOCH))
            log.tags(tags)
        try:
            with system_metrics(absolute_uri(self.uri), log.id, measured):
                yield log
        except BaseException as error:
            if is_interruption(error):
                log.end("KILLED")
                if isinstance(error, SystemExit):
                    raise  # with its status
                raise KeyboardInterrupt from error
            if isinstance(error, TakenOverError):
                log.tags({"mmclf.error": str(error)})
                log.end("KILLED")
                raise
            log.tags({"mmclf.error": f"{type(error).__name__}: {error}"})
            log.end("FAILED")
            raise
        log.end("FINISHED")

    def runs(self) -> list[TrackedRun]:
        """All runs of the experiment, the most recent first."""
        return self._search("")

    def children(
        self, parent: str, tags: Mapping[str, str] = MappingProxyType({})
    ) -> list[TrackedRun]:
        """The child runs of the run `parent` that have these `tags`, the most recent first."""
        asked = {MLFLOW_PARENT_RUN_ID: parent, **tags}
        # What MLflow's filters cannot quote is compared here alone, and all of it here as well, as
        # some databases do not tell capitals apart.
        condition = " AND ".join(
            f"tags.`{tag}` = '{value}'" for tag, value in asked.items() if UNQUOTED.fullmatch(value)
        )
        return [
            run
            for run in self._search(condition)
            if run.parent == parent and tags.items() <= run.tags.items()
        ]

    def tagged(
        self, tag: str, value: str, *, also: str | None = None, before_ms: int | None = None
    ) -> list[TrackedRun]:
        """The runs whose tag `tag` has this value, the most recent first.

        Args:
            tag: a tag's name.
            value: that it has.
            also: a tag that they have as well, whatever its value.
            before_ms: when they have started at the latest, but for a millisecond.

        """
        # MLflow's filters cannot escape quotes, so the value is compared here.
        asked = [f"tags.`{tag}` != ''"]
        asked += [f"tags.`{also}` != ''"] if also is not None else []
        asked += [f"attributes.start_time < {before_ms}"] if before_ms is not None else []
        return [run for run in self._search(" AND ".join(asked)) if run.tags.get(tag) == value]

    def _search(self, condition: str) -> list[TrackedRun]:
        return search_runs(self.client, self.uri, self.experiment_id, condition)

    def log_of(self, run_id: str) -> RunLog:
        """A log of an existing run, whether or not it has ended."""
        return RunLog(self.client, run_id, self._patience)

    def leases(self, parent: str) -> Leases:
        """Who runs which cell of the study with this parent run."""
        return Leases(self.client, self.experiment_id, parent)

    def discard(self, run_id: str) -> None:
        """Delete a run that was started in vain; MLflow keeps it among the deleted ones."""
        self._ask(partial(self.client.delete_run, run_id))

    def reopen(self, run_id: str) -> RunLog:
        """Resume an existing run: mark it as running, and log to it."""
        self._ask(lambda: self.client.update_run(run_id, status="RUNNING"))
        return self.log_of(run_id)

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """The steps and values of a metric of a run, in order."""
        logged = self._ask(lambda: self.client.get_metric_history(run_id, key_of(metric)))
        return sorted({point.step: float(point.value) for point in logged}.items())

    def get(self, run_ids: Sequence[str]) -> list[TrackedRun]:
        """The runs with these ids, in this order; raises InputError for an unknown id."""
        try:
            runs = [self._ask(partial(self.client.get_run, run_id)) for run_id in run_ids]
        except MlflowException as error:
            raise InputError(
                f"{first_line(error)} in {shown_uri(self.uri)}: `mmclf runs` lists the runs"
            ) from error
        return [tracked_run(run) for run in runs]

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
        """As `fetch_artifact`."""
        return fetch_artifact(self.client, run, name, folder)


def _expected(error: Exception) -> str:
    """What would have been accepted instead of what led to the error."""
    if isinstance(error, MlflowException) and error.get_http_status_code() in (401, 403):
        return (
            "a user of the server's who may use the experiment, in MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    return "sqlite:///FILE or the http address of an MLflow server"
