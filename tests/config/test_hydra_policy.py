"""The `hydra` node is checked whole: what it has built, run and opened."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mmclf.config.hydra_policy import check_hydra, check_searchpath


def hydra() -> dict[str, Any]:
    return {
        "sweeper": {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"},
        "launcher": {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"},
        "callbacks": {},
        "searchpath": ["conf", "file:///conf"],
        "job": {"name": "mmclf", "env_set": {"OMP_NUM_THREADS": "1"}},
        "runtime": {"output_dir": "???", "choices": {"hydra/launcher": "basic"}},
        "job_logging": {
            "version": 1,
            "formatters": {
                "simple": {"format": "%(message)s"},
                "colour": {"()": "colorlog.ColoredFormatter", "log_colors": {"INFO": "green"}},
            },
            "handlers": {
                "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
                "file": {
                    "class": "logging.FileHandler",
                    "filename": "${hydra.runtime.output_dir}/${hydra.job.name}.log",
                },
            },
            "root": {"level": "INFO", "handlers": ["console", "file"]},
        },
        "hydra_logging": {"version": 1, "root": None},
    }


def test_a_good_hydra_node_passes() -> None:
    assert check_hydra(hydra()) == []


SLURM: dict[str, Any] = {
    "_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "submitit_folder": "${hydra.sweep.dir}/.submitit/%j",
    "name": "${hydra.job.name}",
    "partition": "gpu",
    "additional_parameters": {},
    "setup": None,
}


@pytest.mark.parametrize(
    "launcher",
    [
        {
            "_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
            "n_jobs": 2,
            "temp_folder": None,
            "pre_dispatch": "2*n_jobs",
        },
        SLURM,
        {"_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"},
        {"_target_": "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher", "ray": {}},
    ],
)
def test_the_launchers_of_hydra_are_allowed(launcher: dict[str, Any]) -> None:
    assert check_hydra(hydra() | {"launcher": launcher}) == []


RAY: dict[str, Any] = {
    "_target_": "hydra_plugins.mmclf.ray_launcher.RayLauncher",
    "address": "auto",
    "num_cpus": 1,
    "num_gpus": 0,
}


@pytest.mark.parametrize(
    "setting",
    [
        *({"address": "local"}, {"num_cpus": 0.5}, {"num_cpus": 0, "num_gpus": 0.25}),
        *({"num_cpus": 3}, {"num_gpus": 8.0}, {"num_cpus": 0, "num_gpus": 1}),
    ],
)
def test_a_run_may_have_a_share_of_a_node_of_ray(setting: dict[str, Any]) -> None:
    assert check_hydra(hydra() | {"launcher": RAY | setting}) == []


@pytest.mark.parametrize(
    ("setting", "where"),
    [
        *(({"address": address}, "address") for address in (None, "1.2.3.4:6379", "ray://x:1")),
        *(({"address": address}, "address") for address in ("${oc.env:HOME}", ["auto"], 3)),
        *(({"num_gpus": count}, "num_gpus") for count in (-0.1, 1.5, "1", None, True, [1], 1e99)),
        *(({"num_cpus": count}, "num_cpus") for count in (float("nan"), float("inf"), "${loss}")),
        *(({key: "x"}, key) for key in ("runtime_env", "init", "num_gpu", "_partial_")),
        ({"num_cpus": 0, "num_gpus": 0.0}, "num_cpus and num_gpus"),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_any_other_setting_of_ray_is_refused(setting: dict[str, Any], where: str) -> None:
    (message,) = check_hydra(hydra() | {"launcher": RAY | setting})
    assert message.startswith("hydra.launcher")
    assert where in message


def test_a_setting_of_ray_that_is_missing_is_named() -> None:
    less = {key: value for key, value in RAY.items() if key != "num_gpus"}
    (message,) = check_hydra(hydra() | {"launcher": less})
    assert message.startswith("hydra.launcher.num_gpus")


@pytest.mark.parametrize(
    "setting",
    [
        {"setup": ["rm -r x"]},
        {"additional_parameters": {"wrap": "x"}},
        {"srun_args": ["x"]},
        {"python": "x"},
        {"submitit_folder": "${oc.env:HOME}"},
        {"submitit_folder": "/home/somebody"},
        {"temp_folder": "/home/somebody"},
        {"address": "ray://somewhere:10001"},
        {"pre_dispatch": "__import__('antigravity')"},
    ],
)
@pytest.mark.hostile("configuration: code")
def test_a_launcher_runs_no_command_of_a_config_file(setting: dict[str, Any]) -> None:
    (message,) = check_hydra(hydra() | {"launcher": SLURM | setting})
    assert message.startswith(f"hydra.launcher.{next(iter(setting))}")


def test_the_sweeper_of_studies_is_allowed() -> None:
    sweeper = {"_target_": "hydra_plugins.mmclf.study_sweeper.StudySweeper"}
    assert check_hydra(hydra() | {"sweeper": sweeper}) == []


HANDLERS = "job_logging.handlers"
CALLBACK = {"_target_": "hydra.experimental.callbacks.PickleJobInfoCallback"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("callbacks", {"pickle": CALLBACK}),
        ("callbacks", "${loss}"),
        ("sweeper", {"_target_": "os.system"}),
        ("sweeper", "${loss}"),
        ("sweeper", None),
        ("sweeper.args", CALLBACK),
        ("sweeper._args_", ["x"]),
        ("launcher", {"_target_": "hydra_plugins.evil.Launcher"}),
        ("launcher.backend", "${loss}"),
        ("launcher._partial_", True),
        ("job", "${loss}"),
        ("job.name", "ext:"),
        ("job.name", "${loss}"),
        ("job.chdir", True),
        ("job.env_set", {"LD_PRELOAD": "/tmp/evil.so"}),
        ("job.env_set", {"PYTHONPATH": "/tmp"}),
        ("job.env_set", "${loss}"),
        ("runtime.output_dir", "ext://antigravity."),
        ("searchpath", ["pkg://antigravity"]),
        ("searchpath", ["${oc.env:HOME}"]),
        ("searchpath", "conf"),
        ("help", {"deep": CALLBACK}),
        ("job_logging", "${loss}"),
        ("hydra_logging", {"version": 1, "handlers": "${loss}"}),
        ("hydra_logging.filters", {"f": {"()": "subprocess.Popen", "args": "true"}}),
        ("job_logging.formatters.simple.()", "subprocess.Popen"),
        ("job_logging.formatters.simple.class", "antigravity.Formatter"),
        ("job_logging.formatters.simple", "${loss}"),
        ("job_logging.formatters.simple.datefmt", "ext://antigravity.fly"),
        (f"{HANDLERS}.console.()", "subprocess.Popen"),
        (f"{HANDLERS}.console.class", "logging.handlers.SocketHandler"),
        (f"{HANDLERS}.console.class", "${loss._target_}"),
        (f"{HANDLERS}.console.class", ["logging.StreamHandler"]),
        (f"{HANDLERS}.console.stream", "ext://antigravity.fly"),
        (f"{HANDLERS}.console.stream", "cfg://root"),
        (f"{HANDLERS}.console.filters", ["f"]),
        (f"{HANDLERS}.console..", {"level": 1}),
        (f"{HANDLERS}.file.filename", "/etc/cron.d/evil.log"),
        (f"{HANDLERS}.file.filename", "../evil.log"),
        (f"{HANDLERS}.file.filename", "train.log"),
        (f"{HANDLERS}.file.filename", "${hydra.runtime.output_dir}/../train.log"),
        (f"{HANDLERS}.file.filename", "setup.py"),
        (f"{HANDLERS}.file.filename", "${loss}.log"),
        (f"{HANDLERS}.file.filename", "ext://antigravity.log"),
        (f"{HANDLERS}.odd", "${loss}"),
        ("job_logging.loggers", {"x": {"handlers": "ext://antigravity.fly"}}),
        ("job_logging.root.level", "ext://antigravity.fly"),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_a_hostile_hydra_node_is_refused(path: str, value: object) -> None:
    node = hydra()
    keys = [*path[:-2].split("."), "."] if path.endswith("..") else path.split(".")
    here = node
    for key in keys[:-1]:
        here = here[key]
    here[keys[-1]] = value
    messages = check_hydra(node)
    assert messages
    assert all(problem.startswith(f"hydra.{keys[0]}") for problem in messages)
    assert "antigravity" not in sys.modules


@pytest.mark.hostile("configuration: code")
def test_the_dotted_name_of_a_handler_hides_nothing() -> None:
    node = hydra()
    node["job_logging"]["handlers"]["x.filename"] = "${loss}"
    assert check_hydra(node)


def test_what_is_no_mapping_is_refused() -> None:
    assert check_hydra("${loss}")
    assert check_searchpath(None) == []
