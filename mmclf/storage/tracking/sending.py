"""What runs logged while nobody answered, sent later."""

from __future__ import annotations

from functools import partial

from mlflow.exceptions import MlflowException

from mmclf.errors import InputError
from mmclf.storage.tracking.answers import UPLOAD_S, reason
from mmclf.storage.tracking.database import ask
from mmclf.storage.tracking.tracker import Tracker
from mmclf.storage.tracking.unsent import Unsent, read_unsent


def send_unsent(tracker: Tracker, run_id: str) -> int:
    """Send what a run could not, and remove its files; returns how often it had logged.

    Raises InputError if there is nothing to send, or the run is unknown, UnreachableError if
    nobody answers still.
    """
    entries = read_unsent(tracker.unsent, run_id)
    tracker.get([run_id])
    for entry in entries:
        try:
            ask(tracker.uri, partial(entry.send, tracker.client, run_id), UPLOAD_S)
        except MlflowException as error:
            raise InputError(
                f"--send {run_id}: the server refuses what the run logged "
                f"({reason(error)}): its file is left as it is"
            ) from error
    Unsent(tracker.unsent, run_id).remove()
    return len(entries)
