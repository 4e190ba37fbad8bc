"""The artifacts of a run, fetched from where MLflow keeps them."""

from __future__ import annotations

from pathlib import Path

from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from mmclf.errors import ArtifactError, InputError, first_line
from mmclf.storage.tracking.answers import UPLOAD_S, bounded
from mmclf.storage.tracking.tracked_run import TrackedRun
from mmclf.storage.waiting import CALL_S


def fetch_artifact(client: MlflowClient, run: TrackedRun, name: str, folder: Path) -> Path:
    """Download the artifact `name` of a run, a file or a folder, into `folder`.

    Returns the path of the copy. Raises InputError if it cannot be downloaded, ArtifactError
    if the run has no such artifact.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with bounded(UPLOAD_S):
            return Path(_repository(client, run).download_artifacts(name, str(folder)))
    # Clients of other addresses than MLflow's own raise kinds of their own, or are missing.
    except Exception as error:
        is_lacking = _lacks(client, run, name)
        # Of what is not there MLflow says no more than where.
        why = "" if is_lacking else f" that can be fetched ({first_line(error)})"
        raise (ArtifactError if is_lacking else InputError)(
            f"the run {run.id} ({run.status}) has no artifact {name!r}{why}: expected a run "
            "that has finished, which a sweep's parent is not; `mmclf runs` lists the runs"
        ) from error


def _repository(client: MlflowClient, run: TrackedRun) -> ArtifactRepository:
    """The run's own artifacts.

    MLflow's client would look for `model` among the experiment's logged models first, page by
    page, and in another database, which it makes in the working folder.
    """
    # As it was read: asking for the run again takes longer than a small file.
    location = run.artifact_uri or client.get_run(run.id).info.artifact_uri
    return get_artifact_repository(location, client.tracking_uri)


def _lacks(client: MlflowClient, run: TrackedRun, name: str) -> bool:
    """Whether the artifacts of a run can be listed, and `name` is not among them."""
    try:
        with bounded(CALL_S):
            listed = _repository(client, run).list_artifacts(name.rpartition("/")[0] or None)
    except Exception:
        return False
    return all(artifact.path != name for artifact in listed)
