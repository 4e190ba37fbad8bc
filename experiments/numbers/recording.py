"""Run the configurations in a tree by its command line, and read what came out from outside it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from comparing import CommandResult, Run
from configurations import EVERYWHERE, Configuration
from mlflow import MlflowClient
from mlflow.entities import Run as TrackedRun
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

HERE = Path(__file__).resolve().parent
THREADS = 1  # of each command: sums of floats depend on how they are divided among threads
PACKAGES = ("torch", "torchvision", "timm", "transformers", "scikit-learn", "numpy", "mlflow")
PARTS = ("val", "test")
PREDICTED = "predicted"  # the folder of what `mmclf predict` wrote, below a run's outputs
FAILURE_LINES = 15


@dataclass(frozen=True)
class Recording:
    """The results of configurations in one tree, and what they were made with."""

    tree: str
    made_with: Mapping[str, str]
    results: Mapping[str, CommandResult]

    def save(self, path: Path) -> None:
        """Write it as JSON, whose numbers come back to the bit."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def load(path: Path) -> Recording:
    """A recording that `save` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    results = {name: _command_result(one) for name, one in data["results"].items()}
    return Recording(data["tree"], data["made_with"], results)


def _command_result(data: dict[str, Any]) -> CommandResult:
    return CommandResult(
        **(data | {"runs": {name: _run(one) for name, one in data["runs"].items()}})
    )


def _run(data: dict[str, Any]) -> Run:
    metrics = {
        key: [(int(step), float(value)) for step, value in points]
        for key, points in data["metrics"].items()
    }
    return Run(**(data | {"metrics": metrics}))


def record(
    tree: Path,
    called: str,
    configurations: Sequence[Configuration],
    data: Path,
    data_digest: str,
    work: Path,
    jobs: int,
) -> Recording:
    """Run each configuration in the tree in a fresh folder below `work`, `jobs` at a time."""
    environment = _environment(tree)
    _check_tree(tree, environment, work)
    results: dict[str, CommandResult] = {}
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {
            pool.submit(_command, one, data, environment, work / str(number)): (one, number)
            for number, one in enumerate(configurations)
        }
        for done in as_completed(waiting):
            one, number = waiting[done]
            seconds, failure = done.result()
            folder = work / str(number)
            results[one.name] = _read(one, folder / "outputs", seconds, failure)
            shutil.rmtree(folder)
            failure = results[one.name].failure
            how = f"{seconds:.0f} s" if failure is None else f"failed\n{failure}"
            sys.stderr.write(f"numbers: {called}: {one.name}: {how}\n")
    in_order = {one.name: results[one.name] for one in configurations}
    return Recording(called, _made_with(data_digest, environment), in_order)


def _environment(tree: Path) -> dict[str, str]:
    """The environment of the commands, in which the tree's code comes before an installed one."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    own = {"PYTHONPATH": str(tree), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(THREADS)}
    return kept | own


def _check_tree(tree: Path, environment: Mapping[str, str], work: Path) -> None:
    """Raise SystemExit unless the tree's code is what a command there runs."""
    code = "import mmclf, hydra_plugins.mmclf as h; print(mmclf.__file__); print(h.__file__)"
    ended = _python(["-c", code], environment, work)
    files = ended.stdout.split("\n")[:-1]
    if ended.returncode != 0 or not all(Path(file).is_relative_to(tree) for file in files):
        raise SystemExit(f"{tree} is not what Python imports: {files or ended.stderr}")


def _command(
    one: Configuration, data: Path, environment: Mapping[str, str], folder: Path
) -> tuple[float, str | None]:
    """Run a configuration: its seconds, and the end of what it said if it went wrong."""
    folder.mkdir(parents=True)
    places = ("data=competition", f"data.root={data}", f"output_dir={folder / 'outputs'}")
    own = ("--config-dir", str(HERE)) if one.is_study else ()
    started = time.perf_counter()
    ended = _python(
        ["-m", "mmclf", *own, *EVERYWHERE, *places, *one.overrides], environment, folder
    )
    if ended.returncode == 0 and one.predicts:
        ended = _predict(ended.stdout, data, environment, folder)
    seconds = time.perf_counter() - started
    if ended.returncode == 0:
        return seconds, None
    said = f"{ended.stdout}\n{ended.stderr}".splitlines()[-FAILURE_LINES:]
    return seconds, "\n".join([f"exit status {ended.returncode}", *said])


def _predict(
    said: str, data: Path, environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Predict the test set by the run that `said` ends with; labels and probabilities."""
    run_id = said.splitlines()[-1].split()[1]
    command = ["-m", "mmclf", "predict", run_id, "--root", str(data), "device=cpu"]
    command.append(f"output_dir={folder / 'outputs'}")
    target = folder / "outputs" / PREDICTED
    target.mkdir()
    labels = [*command, "--out", str(target / "labels.csv")]
    ended = _python(labels, environment, folder)
    if ended.returncode != 0:
        return ended
    probabilities = [*command, "--probabilities", "--out", str(target / "probabilities.csv")]
    return _python(probabilities, environment, folder)


def _python(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _read(one: Configuration, outputs: Path, seconds: float, failure: str | None) -> CommandResult:
    """The result of a command; runs that cannot be read make it one that failed."""
    if failure is not None:
        return CommandResult(one.overrides, seconds, failure, {}, {})
    try:
        client = MlflowClient(tracking_uri=f"sqlite:///{outputs / 'mlflow.db'}")
        runs = {
            name: _read_run(client, run, outputs.parent)
            for name, run in _named(_leaves(client), is_study=one.is_study)
        }
    except (MlflowException, OSError, KeyError) as error:
        why = f"its runs cannot be read: {type(error).__name__}: {error}"
        return CommandResult(one.overrides, seconds, why, {}, {})
    tables = {
        path.name: list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        for pattern in ("studies/*/*.csv", f"{PREDICTED}/*.csv")
        for path in sorted(outputs.glob(pattern))
    }
    return CommandResult(one.overrides, seconds, None, runs, tables)


def _leaves(client: MlflowClient) -> list[TrackedRun]:
    """All runs that are no other run's parent, in the order in which they started."""
    experiments = [
        str(search_experiment.experiment_id) for search_experiment in client.search_experiments()
    ]
    runs = client.search_runs(experiments, order_by=["attributes.start_time ASC"])
    assert runs.token is None, "more runs than a page of them"
    parents = {run.data.tags.get(MLFLOW_PARENT_RUN_ID) for run in runs}
    return [run for run in runs if run.info.run_id not in parents]


def _named(runs: Sequence[TrackedRun], *, is_study: bool) -> Iterator[tuple[str, TrackedRun]]:
    """The runs by arm and seed in a study, else by their number."""
    for number, run in enumerate(runs):
        tags = run.data.tags
        yield f"{tags['mmclf.arm']}, seed={tags['mmclf.seed']}" if is_study else str(number), run


def _read_run(client: MlflowClient, run: TrackedRun, folder: Path) -> Run:
    run_id = run.info.run_id
    metrics = {
        key: sorted((point.step, point.value) for point in client.get_metric_history(run_id, key))
        for key in run.data.metrics
    }
    arrays: dict[str, str] = {}
    for part in PARTS:
        path = client.download_artifacts(run_id, f"predictions/{part}.npz", str(folder))
        with np.load(path, allow_pickle=False) as found:
            arrays |= {f"predictions/{part}, {name}": _sum(found[name]) for name in found.files}
    return Run(run.info.status, metrics, dict(run.data.params), arrays)


def _sum(array: np.ndarray) -> str:
    summed = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    summed.update(np.ascontiguousarray(array).tobytes())
    return f"sha256 {summed.hexdigest()[:16]}"


def _made_with(data_digest: str, environment: Mapping[str, str]) -> dict[str, str]:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "hardware": f"{os.cpu_count()} x {_cpu()}",
        "versions": f"python {platform.python_version()}, {versions}",
        "OMP_NUM_THREADS": environment["OMP_NUM_THREADS"],
        "data": data_digest,
    }


def _cpu() -> str:
    """The processor's name where Linux tells it, else its architecture."""
    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text(encoding="utf-8").splitlines() if cpu_info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
