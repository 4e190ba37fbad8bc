"""What runs is what was checked, whatever a config folder does in between, and in every worker."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import pytest
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import RunMode

from mmclf.cli.main import main
from mmclf.config.compose import read_command
from mmclf.config.composer import open_composer
from mmclf.config.loader import open_loader
from mmclf.errors import InputError

FINE = "# @package _global_\nseed: 5\n"
SMALL = ("data.train=120", "data.test=40", "trainer.epochs=1", "head.hidden=16")


class Note:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config folder with a pickle that leaves `ran` behind, and a level that has it loaded."""
    folder = tmp_path / "conf"
    (folder / "experiment").mkdir(parents=True)
    (folder / "notes.pkl").write_bytes(pickle.dumps(Note(tmp_path / "ran")))
    (folder / "experiment" / "fine.yaml").write_text(FINE)
    (folder / "experiment" / "hostile.yaml").write_text(hostile(folder))
    return folder


def hostile(folder: Path) -> str:
    callback = f"{{_target_: joblib.load, filename: {folder}/notes.pkl}}"
    return f"# @package _global_\nhydra:\n  callbacks: {{x: {callback}}}\n"


def test_the_pickle_would_run(folder: Path, tmp_path: Path) -> None:
    joblib.load(folder / "notes.pkl")
    assert (tmp_path / "ran").exists(), "else the other tests prove nothing"


def by_text(file: Path, folder: Path) -> None:
    file.write_text(hostile(folder))


def by_link(file: Path, folder: Path) -> None:
    file.unlink()
    file.symlink_to(folder / "experiment" / "hostile.yaml")


def by_linked_folder(file: Path, folder: Path) -> None:
    """The whole group becomes another, in which the level's name means something else."""
    other = folder.parent / "other"
    other.mkdir()
    (other / file.name).write_text(hostile(folder))
    file.parent.rename(folder / "earlier")
    file.parent.symlink_to(other)


CHANGES: list[Callable[[Path, Path], None]] = [by_text, by_link, by_linked_folder]


@pytest.fixture(params=[False, True])
def level(request: pytest.FixtureRequest, folder: Path) -> Path:
    """A level that is fine: a file, or a link to one."""
    file = folder / "experiment" / "moody.yaml"
    if request.param:
        file.symlink_to(folder / "experiment" / "fine.yaml")
    else:
        file.write_text(FINE)
    return file


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.hostile("configuration: code")
def test_a_run_gets_what_was_composed_before_a_file_changed(
    change: Callable[[Path, Path], None], level: Path, folder: Path
) -> None:
    with open_composer(["experiment=moody"], folder) as composer:
        command = read_command(composer)
        composer.loader.hand_on(command.cfg, composer.overrides)
        change(level, folder)
        cfg = composer.loader.load_configuration("config", ["experiment=moody"], RunMode.RUN)
        assert cfg is command.cfg
        assert (cfg.seed, dict(cfg.hydra.callbacks)) == (5, {})
        with pytest.raises(InputError, match=r"hydra\.callbacks"):
            composer.loader.load_configuration("config", ["experiment=moody"], RunMode.RUN)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.hostile("configuration: code")
def test_a_job_is_checked_as_it_is_when_it_is_loaded(
    change: Callable[[Path, Path], None], level: Path, folder: Path
) -> None:
    with open_loader(folder) as loader:
        master = loader.load_configuration("config", [], RunMode.MULTIRUN)
        assert loader.load_sweep_config(master, ["experiment=moody"]).seed == 5
        change(level, folder)
        with pytest.raises(InputError, match=r"hydra\.callbacks"):
            loader.load_sweep_config(master, ["experiment=moody"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "launcher"),
    [
        ("BasicLauncher", []),
        ("JoblibLauncher", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]),
        ("LocalLauncher", ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5"]),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_what_a_file_becomes_before_its_job_is_not_run(
    name: str,
    launcher: list[str],
    level: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # Hydra executes its plugins' modules anew, so that a class imported before is another one.
    actual = Plugins.instance().discover(Launcher)
    kind: Any = next(each for each in actual if each.__name__ == name)
    inner = kind.launch

    def launched(self: Any, *given: Any, **settings: Any) -> Any:
        (by_link if level.is_symlink() else by_text)(level, folder)
        return inner(self, *given, **settings)

    monkeypatch.setattr(kind, "launch", launched)
    given = ["-m", *launcher, "experiment=moody", "seed=0,1", *SMALL, f"output_dir={tmp_path}/out"]
    status = main(["--config-dir", str(folder), *given])
    # A worker of submitit's writes files.
    logs = [path.read_text() for path in tmp_path.glob("out/sweeps/**/.submitit/**/*_log.*")]
    assert "hydra.callbacks" in capfd.readouterr().err + "".join(logs)
    assert status != 0
    assert not (tmp_path / "ran").exists()


def chosen(written: str) -> str:
    return f"# @package _global_\ndefaults:\n  - parts: {written}\n"


@pytest.mark.parametrize(
    "written",
    [
        *("${oc.env:MMCLF_WORD,good}", '"\\x24{oc.env:MMCLF_WORD,good}"', "${now:%S}"),
        *('"\\u0024{now:%S}"', "g${oc.select:x,ood}", "${oc.decode:good}", "[good, '${now:%S}']"),
    ],
)
@pytest.mark.parametrize("multirun", [[], ["-m"]])
@pytest.mark.parametrize("is_link", [False, True])
@pytest.mark.hostile("configuration: code")
def test_a_choice_by_the_environment_or_the_clock_is_none(
    written: str,
    multirun: list[str],
    is_link: bool,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "experiment" / "parts").mkdir()
    (folder / "experiment" / "parts" / "good.yaml").write_text(FINE)
    (folder / "experiment" / "parts" / "bad.yaml").write_text(hostile(folder))
    file = folder / "experiment" / "moody.yaml"
    if is_link:
        (folder / "elsewhere.txt").write_text(chosen(written))
        file.symlink_to(folder / "elsewhere.txt")
    else:
        file.write_text(chosen(written))
    for word in ("good", "bad"):
        monkeypatch.setenv("MMCLF_WORD", word)
        given = [*multirun, "experiment=moody", f"output_dir={tmp_path}/out"]
        assert main(["--config-dir", str(folder), *given]) == 2
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out").exists()
