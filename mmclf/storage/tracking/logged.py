"""What is logged to a run, as plain values that can be sent now or later."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT
from pydantic import TypeAdapter

from mmclf.storage.tracking.answers import is_away
from mmclf.storage.tracking.logged_model import Model

Status = Literal["FINISHED", "FAILED", "KILLED"]
Texts = list[tuple[str, str]]


@dataclass(frozen=True)
class Params:
    """Parameters."""

    params: Texts

    def send(self, client: MlflowClient, run: str) -> None:
        """Log them."""
        client.log_batch(run, params=[Param(*pair) for pair in self.params])


@dataclass(frozen=True)
class Tags:
    """Tags."""

    tags: Texts

    def send(self, client: MlflowClient, run: str) -> None:
        """Set them."""
        client.log_batch(run, tags=[RunTag(*pair) for pair in self.tags])


@dataclass(frozen=True)
class Metrics:
    """Metrics: key, value, milliseconds since the epoch, step."""

    metrics: list[tuple[str, float, int, int]]

    def send(self, client: MlflowClient, run: str) -> None:
        """Log them; a value that is logged already stays one."""
        client.log_batch(run, metrics=[Metric(*values) for values in self.metrics])


@dataclass(frozen=True)
class Data:
    """The data set of a run.

    Args:
        name: of the data set.
        digest: of its content.
        location: where it is.
        columns: name and type, in MLflow's words, of what a sample has.
        sizes: how many samples there are, and of each part.

    """

    name: str
    digest: str
    location: str
    columns: dict[str, str]
    sizes: dict[str, int]

    def send(self, client: MlflowClient, run: str) -> None:
        """Log it as an input."""
        columns = [
            {"name": name, "type": kind, "required": True} for name, kind in self.columns.items()
        ]
        dataset = Dataset(
            name=self.name,
            digest=self.digest,
            source_type="local",
            source=json.dumps({"uri": self.location}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps(self.sizes),
        )
        context = InputTag(MLFLOW_DATASET_CONTEXT, "training")
        inputs = [DatasetInput(dataset, [context])]
        try:
            client.log_inputs(run, inputs)
        except MlflowException as error:
            if is_away(error):
                raise
            # Two runs that are the first with a data set both add it, and one of them fails.
            client.log_inputs(run, inputs)


@dataclass(frozen=True)
class Artifacts:
    """The files in a folder."""

    folder: str

    def send(self, client: MlflowClient, run: str) -> None:
        """Copy them."""
        client.log_artifacts(run, self.folder)


@dataclass(frozen=True)
class End:
    """The end of a run, at milliseconds since the epoch."""

    status: Status
    ended_ms: int

    def send(self, client: MlflowClient, run: str) -> None:
        """Mark the run as ended."""
        client.set_terminated(run, self.status, self.ended_ms)


Logged = Params | Tags | Metrics | Data | Artifacts | Model | End
_ADAPTER: TypeAdapter[Logged] = TypeAdapter(Logged)


def to_json(logged: Logged) -> str:
    """A line of JSON; a metric that is not finite is NaN or Infinity, as Python reads them."""
    return json.dumps(asdict(logged))


def from_json(line: str) -> Logged:
    """What a line of JSON holds; raises ValueError if it is nothing that is logged."""
    try:
        return _ADAPTER.validate_python(json.loads(line))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
