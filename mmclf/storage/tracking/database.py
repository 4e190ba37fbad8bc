"""The database of runs: one that takes a connection, or a sqlite file, created atomically."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from filelock import FileLock
from mlflow.tracking import MlflowClient
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from mmclf.errors import InputError, NothingTrackedError, UnreachableError
from mmclf.storage.tracking.answers import BUSY_S, bounded, is_away, reason
from mmclf.storage.waiting import CALL_S, within

Value = TypeVar("Value")

# Database servers that MLflow knows, with a driver of each.
SERVERS = {"postgresql": "'mmclf[postgres]'", "mysql": "pymysql", "mssql": "pymssql"}
# Of the advisory lock under which MLflow makes its tables: any number that nobody else takes.
LOCK = int.from_bytes(b"mmclf")
TABLES_S = 120  # that others may take for it
VERSIONS = "alembic_version"  # the table that tells how far MLflow's others are
TIMED = ("postgresql", "mysql")  # whose drivers take the seconds for a connection
PASSWORD = re.compile(r"(\w+://[^/\s:@]*:)[^@/\s]+@")


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
    create_tables(partial)
    partial.replace(database)


def create_tables(file: Path) -> None:
    """Let MLflow make a new sqlite database with its tables."""
    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments(max_results=1)


def absolute_uri(uri: str) -> str:
    """The URI with an absolute path if it is of a sqlite database, else as it is.

    MLflow keeps one connection for each URI, also if the process changes its folder.
    """
    database = sqlite_file(uri)
    if database is None:
        return uri
    query = urlsplit(uri).query
    if "timeout=" not in query:
        query = f"{query}&timeout={BUSY_S}".lstrip("&")
    return f"sqlite:///{database.absolute()}?{query}"


def shown_uri(uri: str) -> str:
    """The URI without a password."""
    return PASSWORD.sub(r"\1***@", uri)


def ask(uri: str, call: Callable[[], Value], seconds: float = CALL_S) -> Value:
    """What a call of MLflow's returns, of a server at `uri` within so many seconds.

    Raises UnreachableError in the place of an error that says that nobody answers.
    """
    try:
        with bounded(seconds):
            return call() if sqlite_file(uri) is not None else within(seconds, call)
    except InputError:
        raise
    except Exception as error:
        if not is_away(error):
            raise
        raise UnreachableError(
            f"tracking.uri={shown_uri(uri)} does not answer ({reason(error)}): start it, "
            "wait until it is free, or give another tracking.uri"
        ) from error


def check_connection(uri: str) -> None:
    """Raise InputError unless a database at `uri` can be read, once and soon.

    MLflow would try for minutes, and say nothing. Other kinds of URIs are not looked at, nor a
    sqlite database that does not exist.
    """
    dialect = _dialect(uri)
    database = sqlite_file(uri)
    if dialect not in SERVERS and (database is None or not database.is_file()):
        return
    arguments = {"connect_timeout": round(CALL_S)} if dialect in TIMED else {}
    try:
        engine = create_engine(absolute_uri(uri), connect_args=arguments, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1" if database is None else "PRAGMA schema_version"))
    except ImportError as error:
        raise InputError(
            f"tracking.uri={shown_uri(uri)} needs a driver that is not installed ({error}): "
            f"pip install {SERVERS.get(dialect, 'one')}"
        ) from error
    except SQLAlchemyError as error:
        kind = UnreachableError if is_away(error) else InputError
        raise kind(
            f"tracking.uri={shown_uri(uri)} takes no connection ({reason(error)}): expected a "
            "database that is there, free, and yours to use"
        ) from error


def sqlite_file(uri: str) -> Path | None:
    """The file of a sqlite database, or None for another kind of URI."""
    address = urlsplit(uri)
    if address.scheme != "sqlite" or address.path in ("", "/"):
        return None
    return Path(address.path.removeprefix("/"))


@contextmanager
def init_lock(uri: str) -> Iterator[None]:
    """A lock for creating what is missing in a database: its file, whose folder is made, or tables.

    Of a sqlite database it is a file beside it, of PostgreSQL one of its advisory locks, which is
    shared once there are tables. Other servers make their tables themselves.
    """
    database = sqlite_file(uri)
    if database is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{database}.lock"):
            yield
    elif _dialect(uri) == "postgresql":
        with _advisory_lock(uri):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(uri: str) -> Iterator[None]:
    """Keep others from making tables, and from using them before all are there.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    engine = create_engine(uri, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:  # whose end gives the lock back
        connection.execute(text(f"SET lock_timeout = '{TABLES_S}s'"))
        connection.execute(text(f"SELECT pg_advisory_lock_shared({LOCK})"))
        if not inspect(connection).has_table(VERSIONS):
            connection.execute(text(f"SELECT pg_advisory_unlock_shared({LOCK})"))
            connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        yield


def _dialect(uri: str) -> str:
    return urlsplit(uri).scheme.partition("+")[0]
