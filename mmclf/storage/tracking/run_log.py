"""The log of one run: parameters, tags, metrics, artifacts, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlflow.tracking import MlflowClient
from mlflow.utils.time import get_current_time_millis

from mmclf.storage.tracking.answers import CALL_S, bounded
from mmclf.storage.tracking.database import sqlite_file
from mmclf.storage.tracking.keys import key_of
from mmclf.storage.tracking.logged import Artifacts, End, Metrics, Params, Status, Tags
from mmclf.storage.tracking.outbox import Outbox, Patience

PARAMS_A_CALL = 100
METRICS_A_CALL = 1000
LONGEST_PARAM = 6000
CURVE = "epoch/"  # prefix of the metrics with a value per epoch
LONGEST_TAG = 5000


class RunLog:
    """Logs to one run; an interruption waits for a write to a sqlite database.

    What nobody takes is kept for a while, and then written to files (`Outbox`).
    """

    def __init__(self, client: MlflowClient, run_id: str, patience: Patience) -> None:
        self.id = run_id
        self._client, self._patience = client, patience
        is_sqlite = sqlite_file(client.tracking_uri) is not None
        self._outbox = Outbox(client, run_id, is_sqlite, patience)

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters, each once."""
        params = [(key_of(key), str(value)[:LONGEST_PARAM]) for key, value in values.items()]
        for start in range(0, len(params), PARAMS_A_CALL):
            self._outbox.put(Params(params[start : start + PARAMS_A_CALL]))

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
            (key_of(key), float(value), now, step)
            for step, values in steps.items()
            for key, value in values.items()
        ]
        for start in range(0, len(metrics), METRICS_A_CALL):
            self._outbox.put(Metrics(metrics[start : start + METRICS_A_CALL]))

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
