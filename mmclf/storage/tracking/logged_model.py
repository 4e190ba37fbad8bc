"""A run's model as MLflow's: under Models, loaded by MLflow alone, and in its registry."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS
from mlflow.utils.uri import is_local_uri

FOLDER = "model"  # among the run's artifacts, and the model's name
KIND = "mmclf"
EXISTS, NO_SUCH_CALL = "RESOURCE_ALREADY_EXISTS", "ENDPOINT_NOT_FOUND"


@dataclass(frozen=True)
class Model:
    """The artifact `model` of a run as one of MLflow's logged models.

    Args:
        registered: a name in the registry, of which it becomes the next version, or None.
        scores: key, value and milliseconds since the epoch of metrics that the run has logged.
        data: name and digest of the data set that they are of.

    """

    registered: str | None
    scores: list[tuple[str, float, int]]
    data: tuple[str, str]

    def send(self, client: MlflowClient, run: str) -> None:
        """Log it, and register it; what an earlier attempt has done is not done again."""
        source = client.get_run(run)
        model = _own_model(client, source)
        if model is None:
            try:
                model = client.create_logged_model(
                    source.info.experiment_id, name=FOLDER, source_run_id=run, model_type=KIND
                )
            except MlflowException as error:
                if error.error_code != NO_SUCH_CALL:
                    raise
                return  # a server of before MLflow 3, which has the artifact all the same
            client.log_outputs(run, [LoggedModelOutput(model.model_id, step=0)])
        if model.status != LoggedModelStatus.READY:
            _copy_files(client, source, model)
            client.log_batch(run, metrics=self._metrics(model.model_id))
            client.finalize_logged_model(model.model_id, "READY")
        if self.registered is not None and MLFLOW_MODEL_VERSIONS not in model.tags:
            self._register(client, run, model, self.registered)

    def _metrics(self, model: str) -> list[Metric]:
        name, digest = self.data
        return [
            Metric(key, value, ms, 0, model_id=model, dataset_name=name, dataset_digest=digest)
            for key, value, ms in self.scores
        ]

    def _register(self, client: MlflowClient, run: str, model: LoggedModel, name: str) -> None:
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != EXISTS:
                raise
        # A server takes no place of files from outside; a database would ask the process's own
        # tracking store for the model instead of itself.
        is_server = urlsplit(client.tracking_uri).scheme in ("http", "https")
        source = model.model_uri if is_server else model.artifact_location
        version = client.create_model_version(
            name, source, run_id=run, await_creation_for=0, model_id=model.model_id
        )
        versions = json.dumps([{"name": name, "version": version.version}])
        client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: versions})


def _own_model(client: MlflowClient, run: Run) -> LoggedModel | None:
    outputs: Sequence[LoggedModelOutput] = run.outputs.model_outputs if run.outputs else ()
    return client.get_logged_model(outputs[0].model_id) if outputs else None


def _copy_files(client: MlflowClient, run: Run, model: LoggedModel) -> None:
    """Copy the run's files to the model's; in one file system they stay the same files."""
    locations = (run.info.artifact_uri, model.artifact_location)
    if all(is_local_uri(location) for location in locations):
        source, target = (Path(local_file_uri_to_path(location)) for location in locations)
        shutil.copytree(source / FOLDER, target, copy_function=_linked, dirs_exist_ok=True)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = client.download_artifacts(run.info.run_id, FOLDER, name)
        client.log_model_artifacts(model.model_id, folder)


def _linked(source: str, target: str) -> str:
    """Another name for a file that nobody writes to again; a copy where there can be none."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
