"""The data set of a run, which several runs may be the first to log."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST

from mmclf.storage.tracking.logged import Data

DATA = Data("demo", "0123", "/data", {"caption": "string"}, {"train": 8})
TAKEN = "(sqlite3.IntegrityError) UNIQUE constraint failed: datasets.experiment_id, datasets.name"


class Server:
    """Refuses as often as `refusals` says."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.logged: list[tuple[str, str]] = []

    def log_inputs(self, run: str, inputs: list[Any]) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise MlflowException(TAKEN, error_code=BAD_REQUEST)
        self.logged += [(run, each.dataset.digest) for each in inputs]


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_data_set_that_another_run_adds_at_once_is_logged(refusals: int) -> None:
    server: Any = Server(refusals)
    DATA.send(server, "run")
    assert server.logged == [("run", "0123")]


def test_what_is_refused_again_is_an_error() -> None:
    server: Any = Server(2)
    with pytest.raises(MlflowException, match="UNIQUE"):
        DATA.send(server, "run")
