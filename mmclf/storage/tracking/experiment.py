"""An experiment of MLflow's, looked up by its name or created."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from mmclf.errors import InputError, NothingTrackedError, first_line, suggestion

ALREADY = ErrorCode.Name(RESOURCE_ALREADY_EXISTS)


def existing_experiment(client: MlflowClient, uri: str, name: str) -> str:
    """The id of an experiment.

    Raises NothingTrackedError if there is none of this name, InputError if it was deleted.
    """
    experiment = _lookup(client, uri, name)
    if experiment is None:
        names = [experiment.name for experiment in client.search_experiments()]
        raise NothingTrackedError(
            f"tracking.experiment={name} is not in {uri}: {suggestion(name, names)}"
        )
    return str(experiment.experiment_id)


def writable_experiment(client: MlflowClient, uri: str, name: str, output_dir: Path) -> str:
    """The id of an experiment, which is created if it is missing.

    Its artifacts go below `output_dir`; a server chooses their location itself. Raises InputError
    if the experiment was deleted, or its artifacts cannot be kept from here.
    """
    experiment = _lookup(client, uri, name)
    if experiment is not None:
        _check_artifacts(client, name, str(experiment.artifact_location))
        return str(experiment.experiment_id)
    # For a database, MLflow's own choice is the working folder.
    is_server = urlsplit(uri).scheme in ("http", "https")
    location = None if is_server else (output_dir / "artifacts").resolve().as_uri()
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException as error:
        made = client.get_experiment_by_name(name)
        if error.error_code != ALREADY or made is None:
            raise
        return str(made.experiment_id)  # by another process, meanwhile


def _lookup(client: MlflowClient, uri: str, name: str) -> Experiment | None:
    """The experiment of a name, if there is one; raises InputError if it was deleted."""
    experiment = client.get_experiment_by_name(name)
    if experiment is not None and experiment.lifecycle_stage == "deleted":
        raise InputError(
            f"tracking.experiment={name} was deleted in {uri}: restore it with "
            f"`mlflow experiments restore`, or choose another name"
        )
    return experiment


def _check_artifacts(client: MlflowClient, name: str, location: str) -> None:
    """Raise InputError if artifacts cannot be kept at an experiment's location."""
    try:
        get_artifact_repository(location, client.tracking_uri)
    # Clients of other addresses than MLflow's own raise kinds of their own, or are missing.
    except Exception as error:
        raise InputError(
            f"tracking.experiment={name} keeps artifacts where they cannot be kept from here "
            f"({first_line(error)}): install what that needs, or give another experiment"
        ) from error
