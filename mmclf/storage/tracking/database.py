"""The sqlite database of runs, made whole before anything is logged to it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock
from mlflow.tracking import MlflowClient

from mmclf.errors import NothingTrackedError


def check_exists(uri: str) -> None:
    """Raise NothingTrackedError if `uri` is that of a sqlite database that there is not."""
    # Asked for anything, MLflow would make the database.
    database = sqlite_file(uri)
    if database is not None and not database.is_file():
        raise NothingTrackedError(
            f"there is no database at {uri}: start a run first, or say where it is by "
            "output_dir=DIR or tracking.uri=URI"
        )


def make_whole(uri: str) -> None:
    """Make a sqlite database that there is not, its tables and all, or nothing of it.

    A process that is killed while MLflow makes the tables would leave some that it cannot go on
    from.
    """
    database = sqlite_file(uri)
    if database is None or database.is_file():
        return
    unfinished = database.with_name(f".{database.name}.part")
    unfinished.unlink(missing_ok=True)
    MlflowClient(tracking_uri=f"sqlite:///{unfinished}").search_experiments(max_results=1)
    unfinished.replace(database)


def sqlite_file(uri: str) -> Path | None:
    """The file of a sqlite database, None for an address of another kind."""
    address = urlsplit(uri)
    if address.scheme != "sqlite" or address.path in ("", "/"):
        return None
    return Path(address.path.removeprefix("/"))


def init_lock(uri: str) -> AbstractContextManager[object]:
    """A lock beside a sqlite database, whose folder is made; nothing to lock elsewhere."""
    database = sqlite_file(uri)
    if database is None:
        return nullcontext()
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock")
