"""The `hydra` node: Hydra itself calls what it names, before any code of mmclf's.

It is checked unresolved. An interpolation could answer differently when Hydra reads it, so none may
stand where something is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmclf.config.signature_check import stray_targets
from mmclf.config.walk import nodes
from mmclf.errors import suggestion

STUDY_SWEEPER = "hydra_plugins.mmclf.study_sweeper.StudySweeper"
RAY_LAUNCHER = "hydra_plugins.mmclf.ray_launcher.RayLauncher"
RAY_SETTINGS = ("address", "num_cpus", "num_gpus")
IN_THIS_PROCESS = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
PLUGINS: Mapping[str, tuple[str, ...]] = {
    "sweeper": ("hydra._internal.core_plugins.basic_sweeper.BasicSweeper", STUDY_SWEEPER),
    "launcher": (
        IN_THIS_PROCESS,
        "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
        "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
        "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
        "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
        RAY_LAUNCHER,
    ),
}
# The interpolations in the launchers' own files; Hydra's own values stand behind them.
OWN_VALUES = ("${hydra.sweep.dir}/.submitit/%j", "${hydra.job.name}")
# Settings of launchers that are commands, or name code.
COMMANDS = ("setup", "python", "srun_args", "additional_parameters", "runtime_env")
# Where launchers keep files: the folders of their own choice alone.
LAUNCHER_FOLDERS = ("submitit_folder", "temp_folder")
# A cluster takes part in what is run, and what it answers is unpickled: Ray's own is meant.
CLUSTERS = (None, "auto", "local")
# Older versions of joblib evaluate it as Python.
PRE_DISPATCH = re.compile(r"all|\d+|(\d+ ?\* ?)?n_jobs")
LOGGING = ("job_logging", "hydra_logging")
LOGGING_KEYS = (
    *("version", "formatters", "handlers", "root", "loggers"),
    *("disable_existing_loggers", "incremental"),
)
FORMATTERS = ("logging.Formatter", "colorlog.ColoredFormatter")
FORMATTER_KEYS = (
    *("class", "()", "format", "datefmt", "log_colors", "secondary_log_colors", "reset"),
)
HANDLERS = ("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler")
HANDLER_KEYS = ("class", "level", "formatter", "stream", "filename", "mode", "encoding", "delay")
STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
# A log file lies in the run's folder: elsewhere it could overwrite anything.
LOG_FILE = re.compile(
    r"\$\{hydra\.runtime\.output_dir\}/"
    r"([\w-][\w.-]*|[\w-]*\$\{hydra\.job\.name\}[\w.-]*)\.log"
)
JOB_NAME = re.compile(r"[\w-][\w.-]*")
ENVIRONMENT = (
    *("CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "HF_DATASETS_OFFLINE", "HF_HOME"),
    *("HF_HUB_CACHE", "HF_HUB_OFFLINE", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM", "TORCH_HOME"),
    "TRANSFORMERS_OFFLINE",
)


def check_hydra(node: object) -> list[str]:
    """What is wrong with the unresolved `hydra` node; an empty list if nothing is."""
    if not isinstance(node, Mapping):
        return [f"hydra: found {node!r}, expected a mapping"]
    problems = [*_callbacks(node), *_job(node), *_searchpath(node)]
    for name, allowed in PLUGINS.items():
        problems += _plugin(f"hydra.{name}", node.get(name), allowed)
    for name in LOGGING:
        problems += _logging(f"hydra.{name}", node.get(name))
    rest = {key: value for key, value in node.items() if key not in (*PLUGINS, "callbacks")}
    for where in stray_targets(rest):
        problems.append(f"hydra.{where} is not allowed: Hydra would call it, leave it out")
    return problems


def check_searchpath(value: object) -> list[str]:
    """What is wrong with the value of hydra.searchpath: Hydra imports what follows pkg://."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return [f"hydra.searchpath: found {value!r}, expected a list of folders"]
    return [
        f"hydra.searchpath: {entry!r} is not allowed, expected a folder: give DIR or file://DIR"
        for entry in value
        if "${" in entry or ("://" in entry and not entry.startswith("file://"))
    ]


def _searchpath(node: Mapping[Any, Any]) -> list[str]:
    return check_searchpath(node.get("searchpath"))


def _callbacks(node: Mapping[Any, Any]) -> Iterator[str]:
    callbacks = node.get("callbacks")
    if callbacks:
        names = ", ".join(map(str, callbacks)) if isinstance(callbacks, Mapping) else callbacks
        yield f"hydra.callbacks: found {names}, but no callback is allowed: leave them out"


def _job(node: Mapping[Any, Any]) -> Iterator[str]:
    job, runtime = node.get("job") or {}, node.get("runtime") or {}
    if not isinstance(job, Mapping) or not isinstance(runtime, Mapping):
        yield f"hydra.job, hydra.runtime: found {job!r}, {runtime!r}, expected mappings"
        return
    name = job.get("name", "???")
    if name != "???" and not JOB_NAME.fullmatch(str(name)):
        yield f"hydra.job.name: found {name!r}, expected letters, digits, _, . and -"
    if job.get("chdir"):
        yield "hydra.job.chdir is not allowed: it would move relative paths; leave it out"
    variables = job.get("env_set") or {}
    if not isinstance(variables, Mapping):
        yield f"hydra.job.env_set: found {variables!r}, expected a mapping"
        variables = {}
    for variable in variables:
        if variable not in ENVIRONMENT:
            hint = suggestion(str(variable), ENVIRONMENT)
            yield f"hydra.job.env_set.{variable} is not allowed: {hint}"
    if runtime.get("output_dir", "???") != "???":
        yield "hydra.runtime.output_dir is Hydra's own: leave it out, give output_dir=DIR"


def _plugin(path: str, node: object, allowed: tuple[str, ...]) -> Iterator[str]:
    target = node.get("_target_") if isinstance(node, Mapping) else node
    if not isinstance(node, Mapping) or target not in allowed:
        yield f"{path}: found {target!r}, which is not allowed; expected {' or '.join(allowed)}"
        return
    settings = {key: value for key, value in node.items() if key != "_target_"}
    if target == RAY_LAUNCHER:
        yield from _ray_launcher(path, settings)
        return
    for where, value in nodes(settings, path):
        yield from _plugin_setting(where, where.rpartition(".")[2], value)


def _plugin_setting(where: str, key: str, value: object) -> Iterator[str]:
    """What is wrong with a launcher's or a sweeper's setting."""
    message = f"{where}: found {value!r}, expected"
    if key.startswith("_"):
        yield f"{where} is not allowed: leave it out"
    elif key in COMMANDS and value:
        yield f"{where} is not allowed: it would be run as a command; leave it out"
    elif key in LAUNCHER_FOLDERS and value not in (None, OWN_VALUES[0]):
        yield f"{message} the launcher's own folder: leave it out"
    elif key == "address" and value not in CLUSTERS:
        yield f"{message} auto: the environment names a cluster, by RAY_ADDRESS"
    elif key == "pre_dispatch" and not PRE_DISPATCH.fullmatch(str(value)):
        yield f"{message} a number, all, or NUMBER*n_jobs"
    elif isinstance(value, str) and "${" in value and value not in OWN_VALUES:
        yield f"{message} a value without interpolation"


def _ray_launcher(path: str, settings: Mapping[Any, Any]) -> Iterator[str]:
    """What is wrong with the settings of mmclf's launcher on Ray."""
    yield from _keys(path, settings, RAY_SETTINGS)
    for key in RAY_SETTINGS:
        if key not in settings:
            yield f"{path}.{key} is missing: choose hydra/launcher=ray or hydra/launcher=gpus"
    address = settings.get("address", "auto")
    if address not in ("auto", "local"):
        yield (
            f"{path}.address: found {address!r}, expected auto or local: the environment names a "
            "cluster, by RAY_ADDRESS"
        )
    for key in ("num_cpus", "num_gpus"):
        count = settings.get(key, 1)
        is_number = isinstance(count, int | float) and not isinstance(count, bool)
        if not is_number or not (0 <= count <= 1 or (1 < count < 10**6 and count == int(count))):
            yield f"{path}.{key}: found {count!r}, expected a part from 0 to 1, or a whole number"
    if settings.get("num_cpus") == settings.get("num_gpus") == 0:
        yield f"{path}: num_cpus and num_gpus are 0, and all runs would start at once: give one"


def _logging(path: str, node: object) -> Iterator[str]:
    if node is None or node == "???":
        return
    if not isinstance(node, Mapping):
        yield f"{path}: found {node!r}, expected a mapping"
        return
    for where, value in nodes(node, path):
        odd = isinstance(value, str) and re.search(r"\$\{|^[a-z]+://", value)
        if odd and value not in STREAMS and not LOG_FILE.fullmatch(str(value)):
            yield f"{where}: found {value!r}, expected a plain value or {' or '.join(STREAMS)}"
    yield from _keys(path, node, LOGGING_KEYS)
    for kind, handler_of in (("formatters", _formatter), ("handlers", _handler)):
        children = node.get(kind) or {}
        if not isinstance(children, Mapping):
            yield f"{path}.{kind}: found {children!r}, expected a mapping"
            continue
        for name, child in children.items():
            where = f"{path}.{kind}.{name}"
            if isinstance(child, Mapping):
                yield from handler_of(where, child)
            else:
                yield f"{where}: found {child!r}, expected a mapping"


def _formatter(path: str, formatter: Mapping[Any, Any]) -> Iterator[str]:
    yield from _keys(path, formatter, FORMATTER_KEYS)
    for key in ("class", "()"):
        yield from _choice(f"{path}.{key}", formatter.get(key, FORMATTERS[0]), FORMATTERS)


def _handler(path: str, handler: Mapping[Any, Any]) -> Iterator[str]:
    yield from _keys(path, handler, HANDLER_KEYS)
    yield from _choice(f"{path}.class", handler.get("class"), HANDLERS)
    yield from _choice(f"{path}.stream", handler.get("stream", STREAMS[0]), STREAMS)
    name = handler.get("filename", "${hydra.runtime.output_dir}/run.log")
    if not isinstance(name, str) or not LOG_FILE.fullmatch(name):
        yield (f"{path}.filename: found {name!r}, expected ${{hydra.runtime.output_dir}}/NAME.log")


def _keys(path: str, node: Mapping[Any, Any], allowed: tuple[str, ...]) -> Iterator[str]:
    for key in node:
        if key not in allowed:
            yield f"{path}.{key} is not allowed: {suggestion(str(key), allowed)}"


def _choice(path: str, value: object, allowed: tuple[str, ...]) -> Iterator[str]:
    if value not in allowed:
        yield f"{path}: found {value!r}, which is not allowed; expected {' or '.join(allowed)}"
