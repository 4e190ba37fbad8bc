"""The sqlite database of runs, created atomically before anything is logged to it."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock
from mlflow.tracking import MlflowClient

from mmclf.errors import NothingTrackedError


def check_exists(uri: str) -> None:
    """Raise NothingTrackedError if `uri` names a sqlite database that does not exist."""
    # Any request would make MLflow create the database.
    database = sqlite_file(uri)
    if database is not None and not database.is_file():
        raise NothingTrackedError(
            f"there is no database at {uri}: start a run first, or say where it is by "
            "output_dir=DIR or tracking.uri=URI"
        )


def create_database(uri: str) -> None:
    """Create a missing sqlite database with its tables, atomically.

    A process that is killed while MLflow creates the tables would leave a database that MLflow
    cannot use.
    """
    database = sqlite_file(uri)
    if database is None or database.is_file():
        return
    for abandoned in database.parent.glob(f".{database.name}.*part"):
        abandoned.unlink(missing_ok=True)
    # Each time another name: MLflow keeps its connection to a file until the process ends.
    partial = database.absolute().with_name(f".{database.name}.{uuid.uuid4().hex}.part")
    MlflowClient(tracking_uri=f"sqlite:///{partial}").search_experiments(max_results=1)
    partial.replace(database)


def absolute_uri(uri: str) -> str:
    """The URI with an absolute path if it is of a sqlite database, else as it is.

    MLflow keeps one connection for each URI, also if the process changes its folder.
    """
    database = sqlite_file(uri)
    if database is None:
        return uri
    query = urlsplit(uri).query
    return f"sqlite:///{database.absolute()}{f'?{query}' if query else ''}"


def sqlite_file(uri: str) -> Path | None:
    """The file of a sqlite database, or None for another kind of URI."""
    address = urlsplit(uri)
    if address.scheme != "sqlite" or address.path in ("", "/"):
        return None
    return Path(address.path.removeprefix("/"))


def init_lock(uri: str) -> AbstractContextManager[object]:
    """A lock for creating a sqlite database, whose folder is made; no lock for other URIs."""
    database = sqlite_file(uri)
    if database is None:
        return nullcontext()
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock")
