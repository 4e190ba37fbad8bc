"""The config files: where they lie, composing them with Hydra, and their plain form."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.types import RunMode
from hydra.version import VersionBase
from omegaconf import DictConfig, ListConfig, OmegaConf, flag_override
from omegaconf.errors import OmegaConfBaseException

from mmclf.check_hydra import check_searchpath
from mmclf.errors import InputError

HYDRA_STATE = (GlobalHydra, JobRuntime, VersionBase)


@dataclass(frozen=True)
class Source:
    """Where Hydra finds config files: a loader, the primary config, and further folders."""

    loader: ConfigLoader
    config_name: str
    searchpath: list[str]  # an override that names the further folders, or nothing

    def load(self, lines: Sequence[str]) -> DictConfig:
        """The composed config with its `hydra` node; raises InputError for what Hydra refuses."""
        with hydra_errors():
            cfg: DictConfig = self.loader.load_configuration(
                self.config_name,
                [*self.searchpath, *lines],
                RunMode.RUN,
                from_shell=False,
                validate_sweep_overrides=False,
            )
        return cfg


def conf_dir() -> Path:
    """The folder of the shipped config: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise InputError(f"{package}: no conf folder in it or beside it: install mmclf again")


@contextmanager
def open_source(
    config_dir: Path | None, config_name: str, searchpath: object = None
) -> Iterator[Source]:
    """The shipped config, with `config_dir` and the folders of `searchpath` added to it.

    Nothing of Hydra's global state is left changed, so that it also works inside a Hydra job.
    Raises InputError for a folder that does not exist and a search path that Hydra would import.
    """
    conf = conf_dir()
    if config_dir is not None and not config_dir.is_dir():
        raise InputError(f"config directory {config_dir} does not exist")
    folders = [str(config_dir.resolve())] if config_dir is not None else []
    added = _searchpath(searchpath, [conf, *map(Path, folders)], config_name)
    quoted = [QuotedString(folder, Quote.double).with_quotes() for folder in [*folders, *added]]
    override = [f"hydra.searchpath=[{','.join(quoted)}]"] if quoted else []
    kept = {k: Singleton._instances.pop(k) for k in HYDRA_STATE if k in Singleton._instances}
    try:
        with initialize_config_dir(str(conf), job_name="mmclf", version_base="1.3"):
            yield Source(GlobalHydra.instance().config_loader(), config_name, override)
    finally:
        for key in HYDRA_STATE:
            Singleton._instances.pop(key, None)
        Singleton._instances.update(kept)


def _searchpath(value: object, folders: Sequence[Path], config_name: str) -> list[str]:
    """The folders that the command line names or else the primary config."""
    files = [folder / f"{config_name.removesuffix('.yaml')}.yaml" for folder in folders]
    file = next((file for file in files if file.is_file()), None)
    if value is None and file is not None:
        with hydra_errors():
            primary = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
        node = primary.get("hydra") if isinstance(primary, dict) else None
        value = node.get("searchpath") if isinstance(node, dict) else None
    findings = check_searchpath(value)
    if findings:
        raise InputError(*findings)
    return [str(entry) for entry in value] if isinstance(value, list) else []


@contextmanager
def hydra_errors() -> Iterator[None]:
    """Turns whatever Hydra, OmegaConf or YAML raise into an InputError of one line."""
    try:
        yield
    except InputError:
        raise
    # Hydra lets a dozen types through, down to AssertionError; all of them mean a bad config here.
    except Exception as error:
        raise InputError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{mark.name}, line {mark.line + 1}: {error.problem}: correct the YAML"
    text = " ".join(str(error).split("\n")[:1]).strip()
    cause = error.__cause__
    if cause is not None and (not text or text.startswith("Error merging")):
        return f"{text}: {_reason(cause)}" if text else _reason(cause)
    key = getattr(error, "full_key", None)
    text = text or type(error).__name__
    return f"{key}: {text}" if key and key not in text else text


def plain(cfg: DictConfig) -> tuple[dict[str, Any], list[str]]:
    """Plain containers without `hydra`, and a finding for each value that cannot be resolved."""
    findings: list[str] = []
    task = copy.deepcopy(cfg)
    with flag_override(task, ["struct", "readonly"], [False, False]):
        task.pop("hydra", None)
    tree = _plain(task, "", findings)
    return tree if isinstance(tree, dict) else {}, findings


def _plain(node: object, path: str, findings: list[str]) -> object:
    if isinstance(node, DictConfig):
        keys: list[Any] = list(node.keys())
    elif isinstance(node, ListConfig):
        keys = list(range(len(node)))
    else:
        return node
    values: dict[Any, object] = {}
    for key in keys:
        where = f"{path}{key}"
        if OmegaConf.is_missing(node, key):
            values[key] = "???"
            continue
        try:
            values[key] = _plain(node[key], f"{where}.", findings)
        except (OmegaConfBaseException, RecursionError, ValueError) as error:
            findings.append(f"{where}: {' '.join(str(error).split(chr(10))[:1])}")
            values[key] = "???"
    return list(values.values()) if isinstance(node, ListConfig) else values
