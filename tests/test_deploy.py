"""The files of deploy/, as far as they can be held against the rest without running them."""

from __future__ import annotations

import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from mlflow import environment_variables

from mmclf.studies.arms import compose_study

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
THREADS_OF_A_WORKER = 40  # anyio's, on which MLflow's server answers
VARIABLE = re.compile(r"\$\{(\w+)(:[?-])?")


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def test_what_compose_reads_is_in_the_example_without_a_secret() -> None:
    wanted = {match[1]: match[2] for match in VARIABLE.finditer(read("compose.yaml"))}
    example = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", read("env.example"), re.MULTILINE))
    assert example.keys() == wanted.keys()
    assert {name for name, value in example.items() if value} == {
        *("MLFLOW_ADMIN", "MLFLOW_BIND", "MLFLOW_HOSTS")
    }
    # What has no value is asked for; what may be left out has a value that keeps others out.
    assert {name for name, kind in wanted.items() if kind != ":?"} == {
        "MLFLOW_BIND",
        "MLFLOW_HOSTS",
    }
    assert "${MLFLOW_BIND:-127.0.0.1}:5000:5000" in read("compose.yaml")
    assert "deploy/.env" in (ROOT / ".gitignore").read_text().split()


def test_a_server_has_two_connections_for_each_request_that_a_worker_takes() -> None:
    pool = runpy.run_path(str(DEPLOY / "server.py"))["POOL"]
    assert all(getattr(environment_variables, name).type is int for name in pool)
    assert sum(map(int, pool.values())) >= 2 * THREADS_OF_A_WORKER
    server = yaml.safe_load(read("compose.yaml"))["services"]["server"]
    assert pool.items() <= server["environment"].items()


def test_compose_names_what_is_there() -> None:
    compose = yaml.safe_load(read("compose.yaml"))
    for service in compose["services"].values():
        assert {*service.get("depends_on", ())} <= compose["services"].keys()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            known = (
                (DEPLOY / source).is_file() if source[0] == "." else source in compose["volumes"]
            )
            assert known, volume
        built = service.get("build")
        assert built is None or f" AS {built['target']}\n" in read("Dockerfile")
        assert built is not None or ":" in service["image"]


def test_the_image_is_built_of_what_is_there() -> None:
    text = read("Dockerfile")
    copied = [path for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for path in line.split()]
    let_through = re.findall(r"^!(.+)$", read("Dockerfile.dockerignore"), re.MULTILINE)
    assert sorted(copied) == sorted(let_through)
    assert [path for path in copied if not (ROOT / path).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r"'\.\[(.+)\]'", text)
    assert {*extras.split(",")} <= project["optional-dependencies"].keys()
    # Of the version that constraints.txt is made for.
    assert "FROM python:3.11-" in text
    assert "for Python 3.11" in (ROOT / "constraints.txt").read_text().partition("\n")[0]


@pytest.mark.parametrize(
    "words",
    [
        yaml.safe_load(read("kubernetes-job.yaml"))["spec"]["template"]["spec"]["containers"][0][
            "args"
        ],
        yaml.safe_load(read("skypilot.yaml"))["envs"]["WORDS"].split(),
        re.findall(r"#   sbatch .*slurm-array.sh (.+)", read("slurm-array.sh"))[0].split(),
    ],
    ids=["kubernetes", "skypilot", "slurm"],
)
def test_a_job_runs_a_study(words: list[str]) -> None:
    assert "study=threshold" in words
    compose_study(words, None)


@pytest.mark.parametrize("name", ["slurm-array.sh", "skypilot.yaml"])
def test_a_script_is_one_of_the_shell(name: str) -> None:
    text = read(name)
    parts = yaml.safe_load(text) if name.endswith(".yaml") else {"run": text}
    for script in ("setup", "run"):
        subprocess.run(["bash", "-n"], input=parts.get(script, ""), text=True, check=True)
