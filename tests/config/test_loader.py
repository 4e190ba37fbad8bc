"""Hydra's config loader behind a check: what it loads is checked, and what it gives is used."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Iterator, Sequence
from inspect import unwrap
from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mmclf.cli.main import main
from mmclf.config.composer import Composer, open_composer
from mmclf.config.loader import CheckedLoader, open_loader
from mmclf.config.repository import FolderRepository, ParsedFiles
from mmclf.errors import InputError

CALLBACK = "hydra:\n  callbacks: {x: {_target_: subprocess.run, args: touch RAN}}\n"
SMALL = ("data.train=120", "data.test=40", "trainer.epochs=1", "head.hidden=16")


@pytest.fixture
def loader() -> Iterator[CheckedLoader]:
    with open_loader(None) as opened:
        yield opened


def level(folder: Path, name: str, text: str) -> None:
    file = folder / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A folder with a level that is fine, one with a callback, and a part that is not allowed."""
    folder = tmp_path / "conf"
    level(folder, "experiment/fine", "# @package _global_\nseed: 5\n")
    level(folder, "experiment/callback", f"# @package _global_\n{CALLBACK}")
    level(folder, "loss/system", "_target_: os.system\ncommand: touch RAN\n")
    return folder


@pytest.fixture
def compositions(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The overrides of everything that Hydra composes."""
    composed: list[Sequence[str]] = []
    inner = ConfigLoaderImpl._load_configuration_impl

    def counted(self: ConfigLoaderImpl, *args: object, **kwargs: object) -> DictConfig:
        composed.append(kwargs["overrides"])  # type: ignore[arg-type]
        cfg: DictConfig = inner(self, *args, **kwargs)
        return cfg

    monkeypatch.setattr(ConfigLoaderImpl, "_load_configuration_impl", counted)
    return composed


def test_hydra_takes_it_for_a_loader_and_not_for_its_own(loader: CheckedLoader) -> None:
    assert isinstance(loader, ConfigLoader)
    assert not isinstance(loader, ConfigLoaderImpl)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["experiment=callback"], "hydra.callbacks"),
        (["loss=system"], "loss._target_ 'os.system'"),
        (["seed=-1"], "seed: "),
        (["+hydra.job.env_set.LD_PRELOAD=x.so"], "hydra.job.env_set.LD_PRELOAD"),
    ],
)
@pytest.mark.parametrize("pickled", [False, True])
@pytest.mark.hostile("configuration: code")
def test_nothing_wrong_is_loaded_for_a_run_or_a_job(
    conf: Path, overrides: list[str], named: str, pickled: bool
) -> None:
    with open_loader(conf) as opened:
        loader = pickle.loads(pickle.dumps(opened)) if pickled else opened
        master = loader.load_configuration("config", [], RunMode.MULTIRUN)
        with pytest.raises(InputError) as of_run:
            loader.load_configuration("config", overrides, RunMode.RUN)
        with pytest.raises(InputError) as of_job:
            loader.load_sweep_config(master, overrides)
        for error in (of_run.value, of_job.value):
            assert error.problems[0].startswith(named)
            # Hydra's completion leaves out a config that raises this.
            assert isinstance(error, ConfigCompositionException)
        assert loader.load_sweep_config(master, ["experiment=fine"]).seed == 5


@pytest.mark.hostile("configuration: code")
def test_a_sweep_with_a_hostile_hydra_node_is_not_loaded(conf: Path) -> None:
    with open_loader(conf) as loader:
        with pytest.raises(InputError, match=r"hydra\.callbacks"):
            loader.load_configuration("config", ["experiment=callback"], RunMode.MULTIRUN)
        # The settings of a sweep may lack what is swept.
        assert loader.load_configuration("config", ["data=table"], RunMode.MULTIRUN).seed == 0


def test_hydras_help_loads_no_primary_config(loader: CheckedLoader) -> None:
    assert set(loader.load_configuration(None, [], RunMode.RUN)) == {"hydra"}


def test_what_is_handed_on_is_given_once_and_checked(loader: CheckedLoader) -> None:
    cfg = loader.compose("config", ["seed=3"])
    loader.hand_on(cfg, ["seed=3"])
    assert loader.load_configuration("config", ["seed=3"], RunMode.RUN) is cfg
    assert loader.load_configuration("config", ["seed=3"], RunMode.RUN) is not cfg
    loader.hand_on(cfg, ["seed=3"])
    assert loader.load_configuration("config", ["seed=4"], RunMode.RUN).seed == 4
    cfg.seed = -3
    loader.hand_on(cfg, ["seed=3"])
    with pytest.raises(InputError, match="seed: found -3"):
        loader.load_configuration("config", ["seed=3"], RunMode.RUN)


def test_a_run_is_composed_once(tmp_path: Path, compositions: list[Sequence[str]]) -> None:
    given = [*SMALL, f"output_dir={tmp_path}"]
    assert main(given) == 0
    assert compositions == [given]


@pytest.mark.slow
def test_a_study_composes_its_base_once_and_every_run_once(
    tmp_path: Path, compositions: list[Sequence[str]]
) -> None:
    level(
        tmp_path / "conf",
        "study/own",
        "# @package _global_\ndefaults:\n  - override /hydra/sweeper: study\n"
        "study: {question: Q, design: grid, factors: {trainer.epochs: [1, 2]}, seeds: 2}\n",
    )
    given = [*SMALL[:2], "head.hidden=16", f"output_dir={tmp_path}/out", "study=own"]
    assert main(["--config-dir", str(tmp_path / "conf"), *given]) == 0
    # The base, of which the arms are updates, and four runs.
    assert compositions[0] == given
    seeds = [[line for line in lines if line.startswith("seed=")] for lines in compositions]
    assert seeds == [[], ["seed=0"], ["seed=0"], ["seed=1"], ["seed=1"]]


@pytest.mark.parametrize("path", ["pkg://antigravity", "structured://x", "https://x", "${hidden}"])
@pytest.mark.hostile("configuration: code")
def test_no_search_path_but_a_folder_is_opened(tmp_path: Path, path: str) -> None:
    (tmp_path / "own.yaml").write_text(
        f"defaults: [config]\nhidden: pkg://antigravity\nhydra:\n  searchpath: ['{path}']\n"
    )
    with open_loader(tmp_path) as loader:
        line = f"hydra.searchpath=['{path}']"
        for name, lines in (("own", []), ("config", [line]), (None, [line])):
            with pytest.raises(InputError, match="expected a folder"):
                loader.load_configuration(name, lines, RunMode.RUN)
            with pytest.raises(InputError, match="expected a folder"):
                loader.get_group_options("loss", ObjectType.CONFIG, name, lines)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "written", ["${oc.env:X,fine}", '"\\x24{oc.env:X,fine}"', '"\\u0024{now:%S}"']
)
@pytest.mark.hostile("configuration: code")
def test_however_it_is_written_a_defaults_list_calls_no_resolver(conf: Path, written: str) -> None:
    level(conf, "experiment/moody", f"# @package _global_\ndefaults:\n  - parts: {written}\n")
    level(conf, "experiment/parts/fine", "# @package _global_\nseed: 0\n")
    with open_loader(conf) as loader:
        with pytest.raises(InputError, match=r"experiment/moody\.yaml: its defaults list"):
            loader.load_configuration("config", ["experiment=moody"], RunMode.RUN)
        master = loader.load_configuration("config", [], RunMode.MULTIRUN)
        with pytest.raises(InputError, match=r"experiment/moody\.yaml: its defaults list"):
            loader.load_sweep_config(master, ["experiment=moody"])


def test_a_level_may_be_named_by_another_group(conf: Path) -> None:
    level(conf, "loss/by_optimizer", "defaults:\n  - /extra: ${optimizer}\n")
    level(conf, "extra/adam", "# @package loss\n_target_: torch.nn.BCEWithLogitsLoss\n")
    with open_loader(conf) as loader:
        cfg = loader.load_configuration("config", ["loss=by_optimizer"], RunMode.RUN)
    assert cfg.loss._target_ == "torch.nn.BCEWithLogitsLoss"


def composed(composer: Composer) -> object:
    return OmegaConf.to_container(composer.compose([]), resolve=False)


def test_a_file_is_parsed_once_and_its_values_are_copied(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[object] = []
    inner = OmegaConf.load

    def counted(file: object) -> object:
        parsed.append(file)
        return inner(file)  # type: ignore[arg-type]

    monkeypatch.setattr(OmegaConf, "load", counted)
    # Of this composer alone: tests share what is parsed (tests/made_once.py).
    monkeypatch.setattr(FolderRepository, "__init__", unwrap(FolderRepository.__init__))
    with open_composer([], conf) as composer:
        first = composed(composer)
        count = len(parsed)
        changed = composer.compose([])
        changed.optimizer.lr = 7.0
        changed.hydra.job.name = "other"
        assert composed(composer) == first
        assert len(parsed) == count > 10


def test_a_file_that_changes_is_parsed_anew(conf: Path) -> None:
    with open_loader(conf) as loader:
        for seed in (5, 6):
            level(conf, "experiment/fine", f"# @package _global_\nseed: {seed}\n")
            cfg = loader.load_configuration("config", ["experiment=fine"], RunMode.RUN)
            assert cfg.seed == seed


def test_parsed_files_are_shared_by_copies_and_not_sent_to_other_processes() -> None:
    parsed = ParsedFiles()
    calls: list[int] = []
    for files in (parsed, copy.deepcopy(parsed), pickle.loads(pickle.dumps(parsed))):
        files.get("key", lambda: calls.append(1) or [])  # type: ignore[func-returns-value]
    assert len(calls) == 2


def test_levels_of_a_folder_that_a_primary_config_names_are_listed(
    conf: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    level(more, "loss/further", "_target_: torch.nn.BCEWithLogitsLoss\n")
    (conf / "own.yaml").write_text(f"defaults: [config]\nhydra:\n  searchpath: ['{more}']\n")
    for overrides, name in (([], "own"), ([f"hydra.searchpath=['{more}']"], "config")):
        with open_composer(overrides, conf, name) as composer:
            assert {"bce", "further", "system"} <= set(composer.groups.levels("loss"))
