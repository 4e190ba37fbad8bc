"""The log of one run: parameters, tags, metrics, artifacts, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mlflow.tracking import MlflowClient
from mlflow.utils.time import get_current_time_millis

from mmclf.storage.tracking.answers import bounded
from mmclf.storage.tracking.database import sqlite_file
from mmclf.storage.tracking.keys import key_of
from mmclf.storage.tracking.logged import Artifacts, Data, End, Metrics, Params, Status, Tags
from mmclf.storage.tracking.logged_model import Model
from mmclf.storage.tracking.outbox import Outbox, Patience
from mmclf.storage.waiting import CALL_S

PARAMS_A_CALL = 100
METRICS_A_CALL = 1000
LONGEST_PARAM = 6000
CURVE = "epoch/"  # prefix of the metrics with a value per epoch
LONGEST_TAG = 5000


class RunLog:
    """Logs to one run; an interruption waits for a write to a sqlite database.

    What nobody takes is kept for a while, and then written to files (`Outbox`). `artifact_uri`:
    where its artifacts are, as far as that is known.
    """

    def __init__(
        self,
        client: MlflowClient,
        run_id: str,
        patience: Patience,
        artifact_uri: str | None = None,
    ) -> None:
        self.id, self.artifact_uri = run_id, artifact_uri
        self._client, self._patience = client, patience
        self._there: set[int] = set()  # the epochs that an earlier attempt has logged
        is_sqlite = sqlite_file(client.tracking_uri) is not None
        self._outbox = Outbox(client, run_id, is_sqlite, patience)

    def go_on(self, epochs: Iterable[int]) -> None:
        """Leave out what an earlier attempt at the same run has logged of these epochs."""
        self._there.update(epochs)

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters, each once."""
        params = [(key_of(key), str(value)[:LONGEST_PARAM]) for key, value in values.items()]
        for start in range(0, len(params), PARAMS_A_CALL):
            self._outbox.put(Params(params[start : start + PARAMS_A_CALL]))

    def metrics(self, values: Mapping[str, float]) -> int:
        """Log metrics at step 0, in as few calls as MLflow allows.

        Returns when that was, in milliseconds since the epoch.
        """
        return self._log({0: values})

    def curves(self, epochs: Mapping[int, Mapping[str, float]]) -> None:
        """Log the metrics of epochs as `epoch/NAME`, with the epoch's number as the step."""
        self._log(
            {
                number: {f"{CURVE}{key}": value for key, value in values.items()}
                for number, values in epochs.items()
                if number not in self._there
            }
        )

    def data(self, data: Data) -> None:
        """Log the data set as an input."""
        self._outbox.put(data)

    def model(
        self, scores: Mapping[str, float], scored_ms: int, data: Data, registered: str | None
    ) -> None:
        """Log the artifact `model` as a model of MLflow's.

        Args:
            scores: metrics of the run that are its as well.
            scored_ms: when they were logged.
            data: that they are of.
            registered: a name in the registry, of which it becomes the next version, or None.

        """
        metrics = [(key_of(key), float(value), scored_ms) for key, value in scores.items()]
        self._outbox.put(Model(registered, metrics, (data.name, data.digest)))

    def _log(self, steps: Mapping[int, Mapping[str, float]]) -> int:
        now = get_current_time_millis()
        metrics = [
            (key_of(key), float(value), now, step)
            for step, values in steps.items()
            for key, value in values.items()
        ]
        for start in range(0, len(metrics), METRICS_A_CALL):
            self._outbox.put(Metrics(metrics[start : start + METRICS_A_CALL]))
        return int(now)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        self._outbox.put(Tags([(key, value[:LONGEST_TAG]) for key, value in values.items()]))

    def take_over(self, run: str) -> None:
        """Say that this run goes on where the run `run` was, which no process computes any more.

        That ends as KILLED, if its process could not say so.
        """
        if run == self.id:
            return
        self.tags({"mmclf.resumed_from": run})
        try:
            with bounded(CALL_S):
                is_running = self._client.get_run(run).info.status == "RUNNING"
        except Exception:  # it is of another database, was deleted, or nobody answers
            return
        if is_running:
            RunLog(self._client, run, self._patience).end("KILLED")

    def artifacts(self, folder: Path) -> None:
        """Copy the content of `folder`, with subfolders, to the run's artifacts."""
        self._outbox.put(Artifacts(str(folder)))

    def end(self, status: Status) -> None:
        """Mark the run as ended; at once if it was killed, else when all that it logged is sent."""
        ended = End(status, get_current_time_millis())
        self._outbox.end(ended, hurried=status == "KILLED")
