"""MLflow's server for this machine, with a password; on PostgreSQL if that is there, else sqlite.

`make server` runs it. It listens on 127.0.0.1 alone, takes artifacts through itself, keeps all
below one folder, and goes on there when it is started again.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "admin"
# A PostgreSQL refuses to run as root.
OWNER = "postgres" if os.geteuid() == 0 else None
AUTH = """\
[mlflow]
default_permission = READ
database_uri = {database}
admin_username = {user}
# Hashing a password takes longer than most requests: what was right is remembered for so long.
auth_cache_ttl_seconds = 60
"""
# A request can hold a connection and wait for a second one. A worker takes 40 at a time: of fewer
# connections than twice as many, 15 by default, all can be held by requests that wait.
POOL = {"MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "10", "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "70"}
SAYS = """\
MLflow's server is at {address}, on {kind}, with all that it keeps in {folder}.
Where runs are made:

  export MLFLOW_TRACKING_USERNAME={user}
  export MLFLOW_TRACKING_PASSWORD="$(cat {folder}/password)"
  mmclf tracking.uri={address}

Ctrl-C ends it; the runs stay."""


def main() -> int:
    """Run the server until it is stopped; its exit status."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, help="what it keeps")
    arguments.add_argument("--port", type=int, default=5000)
    arguments.add_argument("--database", choices=("auto", "postgresql", "sqlite"), default="auto")
    arguments.add_argument("--workers", type=int, default=2, help="processes that answer")
    given = arguments.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # PostgreSQL's user goes through; what is in it is this user's alone
    os.umask(0o077)
    # A signal ends the server, then its database.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"a server runs on {folder} already")
        if not _is_free(given.port):
            sys.exit(f"port {given.port} is in use: make server PORT={given.port + 1}")
        if chosen(given.database, folder) == "sqlite":
            runs, auth = (f"sqlite:///{folder}/{name}.db" for name in ("runs", "auth"))
            return serve(folder, given.port, given.workers, runs, auth)
        with postgresql(folder / "postgresql") as place:
            runs, auth = (f"postgresql://mmclf@/{name}?host={place}" for name in ("runs", "auth"))
            return serve(folder, given.port, given.workers, runs, auth)


def _end(*_: object) -> None:
    sys.exit(0)


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def chosen(asked: str, folder: Path) -> str:
    """`postgresql` or `sqlite`: what the folder has, or else what this machine has."""
    there = {
        "sqlite": (folder / "runs.db").exists(),
        "postgresql": (folder / "postgresql").exists(),
    }
    kind = asked
    if asked == "auto":
        known = [name for name, has in there.items() if has]
        kind = known[0] if known else ("postgresql" if usable(folder) else "sqlite")
    if kind == "postgresql" and programs() is None:
        sys.exit(f"{folder} needs PostgreSQL, which is not installed: apt-get install postgresql")
    return kind


def programs() -> Path | None:
    """The folder of PostgreSQL's programs."""
    on_path = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path is not None:
        return Path(on_path).resolve().parent
    return folders[-1].parent if folders else None


def usable(folder: Path) -> bool:
    """Whether PostgreSQL is installed, and its user may enter the folder."""
    if programs() is None:
        return False
    try:
        subprocess.run(["/bin/true"], check=True, user=OWNER, cwd=folder)
    except (OSError, KeyError):
        print(f"PostgreSQL is left out: its user may not enter {folder}", flush=True)
        return False
    return True


@contextmanager
def postgresql(data: Path) -> Iterator[str]:
    """A PostgreSQL with the databases `runs` and `auth`; gives the folder of its socket.

    It has no port: who may enter the folder, this user alone, may connect.
    """
    folder = programs()
    assert folder is not None

    def call(program: str, *words: str) -> str:
        # Its output into a file: a server that it starts keeps a pipe open.
        with tempfile.TemporaryFile() as out:
            command = [str(folder / program), *words]
            done = subprocess.run(  # noqa: S603
                command, check=False, user=OWNER, cwd="/", stdout=out, stderr=out
            )
            out.seek(0)
            said = out.read().decode()
        if done.returncode != 0:
            sys.exit(f"{program}: {said}")
        return said

    if not data.exists():
        data.mkdir(mode=0o700)
        if OWNER is not None:
            shutil.chown(data, OWNER)
    if not (data / "PG_VERSION").exists():
        call("initdb", "-D", str(data), "-U", "mmclf", "-A", "trust", "-E", "UTF8")
    if _runs(data):  # left by a server that was killed, with another socket
        call("pg_ctl", "-D", str(data), "-m", "fast", "stop")
    # A socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="mmclf-server-") as place:
        if OWNER is not None:
            shutil.chown(place, OWNER)
        options = f"-c listen_addresses='' -c max_connections=500 -k {place}"
        call("pg_ctl", "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start")
        try:
            user = ("-h", place, "-U", "mmclf")
            names = call("psql", *user, "-Atc", "select datname from pg_database", "postgres")
            for name in {"runs", "auth"} - {*names.split()}:
                call("createdb", *user, name)
            yield place
        finally:
            call("pg_ctl", "-D", str(data), "-m", "fast", "stop")


def _runs(data: Path) -> bool:
    """Whether the process in this cluster's file is alive."""
    file = data / "postmaster.pid"
    return file.exists() and Path(f"/proc/{file.read_text().split()[0]}").exists()


def serve(folder: Path, port: int, workers: int, runs: str, auth: str) -> int:
    """MLflow's server on these two databases, until a signal; its exit status."""
    config = folder / "auth.ini"
    # ConfigParser reads % as the start of a reference.
    config.write_text(AUTH.format(database=auth.replace("%", "%%"), user=USER))
    environment = os.environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_AUTH_ADMIN_PASSWORD": kept_secret(folder / "password"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": kept_secret(folder / "key"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **POOL,
    }
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command += ["--uvicorn-opts", "--timeout-graceful-shutdown 5"]
    command += ["--backend-store-uri", runs, "--artifacts-destination", str(folder / "artifacts")]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603
            command, stdout=log, stderr=log, env=environment
        )
    try:
        while process.poll() is None and not _answers(address):
            time.sleep(0.5)
        if process.poll() is None:
            print(
                SAYS.format(address=address, kind=runs.partition(":")[0], folder=folder, user=USER)
            )
            sys.stdout.flush()
        if process.wait() != 0:
            print(f"the server has ended, see {folder}/log", file=sys.stderr)
        return process.returncode
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2):  # noqa: S310
            return True
    except OSError:
        return False


def kept_secret(file: Path) -> str:
    """A secret that this user alone may read, made at the first start."""
    if not file.exists():
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(24))
    return file.read_text()


if __name__ == "__main__":
    sys.exit(main())
