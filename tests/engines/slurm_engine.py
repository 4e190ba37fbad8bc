"""A Slurm of a test's own: one node on this machine's loopback, with munge and accounting."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

INSTALL = "apt-get install slurmctld slurmd slurmdbd munge mariadb-server"
PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd", "mariadb-install-db", "sbatch")
WAIT_S = 60.0

GRANT = (
    "create user slurm@'127.0.0.1' identified by 'slurm'; grant all on slurm.* to slurm@'127.0.0.1'"
)
DATABASE = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd}
SlurmUser=root
CommunicationParameters=NoInAddrAny
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
"""
CONTROLLER = """\
ClusterName=mmclf
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
AccountingStoragePass={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
JobRequeue=1
KillWait=5
SchedulerParameters=batch_sched_delay=1,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def slurm() -> Iterator[Path]:
    """A cluster, for as long as the block goes on; gives its folder, and sets SLURM_CONF.

    Skips the test where Slurm is not installed, or this is not the superuser.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"no Slurm can be started ({', '.join(missing) or 'not root'}): {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="mmclf-slurm-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        ports = dict(zip(("ctld", "slurmd", "dbd", "sql"), _free_ports(4), strict=True))
        host = socket.gethostname().partition(".")[0]
        facts = {"folder": folder, "host": host, "cores": os.cpu_count(), **ports}
        _start_munge(folder, stack)
        _start_database(folder, ports["sql"], stack)
        for file, text in (("slurmdbd.conf", DATABASE), ("slurm.conf", CONTROLLER)):
            (folder / file).write_text(text.format(**facts))
            (folder / file).chmod(0o600)
        conf = {"SLURM_CONF": str(folder / "slurm.conf")}
        (folder / "state").mkdir()
        (folder / "spool").mkdir()
        _start(["slurmdbd", "-D"], folder, stack, conf)
        _wait(["sacctmgr", "-n", "show", "cluster"], conf)
        _wait(["sacctmgr", "-i", "add", "cluster", "mmclf"], conf)
        _start(["slurmctld", "-D"], folder, stack, conf)
        _start(["slurmd", "-D"], folder, stack, conf)
        _wait(["srun", "-n1", "-t1", "true"], conf)
        before = os.environ.get("SLURM_CONF")
        os.environ["SLURM_CONF"] = conf["SLURM_CONF"]
        try:
            yield folder
        finally:
            subprocess.run(["scancel", "--user=root"], check=False)
            if before is None:
                del os.environ["SLURM_CONF"]
            else:
                os.environ["SLURM_CONF"] = before


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _start(command: list[str], folder: Path, stack: ExitStack, environment: dict[str, str]) -> None:
    """Start a server in the foreground, which ends with the stack."""
    with (folder / f"{command[0]}.out").open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=os.environ | environment, start_new_session=True
        )

    def stop() -> None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    stack.callback(stop)


def _start_munge(folder: Path, stack: ExitStack) -> None:
    place = folder / "munge"
    place.mkdir(mode=0o711)
    key = place / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(1024))
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
    options = [f"--{option}={place / file}" for option, file in files.items()]
    _start(
        ["munged", "--foreground", "--force", f"--log-file={place / 'log'}", *options],
        folder,
        stack,
        {},
    )
    _wait(["munge", "-n", "-S", str(place / "socket")], {})


def _start_database(folder: Path, port: int, stack: ExitStack) -> None:
    data = folder / "sql"
    data.mkdir()
    shutil.chown(data, "mysql")
    made = ["mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}"]
    subprocess.run(
        [*made, "--auth-root-authentication-method=socket"], check=True, stdout=subprocess.DEVNULL
    )
    options = [f"--datadir={data}", f"--socket={data}/socket", f"--port={port}"]
    options += ["--user=mysql", "--bind-address=127.0.0.1"]
    _start(["mariadbd", "--no-defaults", *options], folder, stack, {})
    client = ["mariadb", "--no-defaults", "-u", "root", f"--socket={data}/socket", "-e"]
    _wait([*client, f"create database slurm; {GRANT}"], {})


def _wait(command: list[str], environment: dict[str, str]) -> None:
    """Call it until it succeeds."""
    deadline = time.monotonic() + WAIT_S
    while True:
        done = subprocess.run(
            command, check=False, env=os.environ | environment, capture_output=True, text=True
        )
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        time.sleep(0.5)
