"""Config files of one's own are composed with those of mmclf; none runs or imports anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_lines import HERE, problems
from message_facts import Naming

from mmclf.config.compose import check_command, compose
from mmclf.errors import InputError


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config directory of the user's, with a module beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine_parts", raising=False)
    (tmp_path / "mine_parts.py").write_text(
        "from torch import nn\nopen(__file__ + '.ran', 'w').close()\nclass Loss(nn.Module): pass\n"
    )
    folder = tmp_path / "my conf"
    (folder / "loss").mkdir(parents=True)
    (folder / "loss" / "mine.yaml").write_text("_target_: mine_parts.Loss\n")
    return folder


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{hydra.job.name: x}", Naming("hydra.sweeper.params.hydra.job.name", "not allowed")),
        ("{+hydra/callbacks: x}", Naming("hydra.sweeper.params.+hydra/callbacks", "not allowed")),
        ("{allow_targets: '[os]'}", Naming("hydra.sweeper.params.allow_targets", "not allowed")),
        ("{seed: '1,-2'}", Naming("seed=-2", "seed")),
        ("{text: 'tfidf,brt'}", Naming("text=brt", "'brt'")),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_what_a_file_sweeps_is_checked(params: str, message: Naming, mine: Path) -> None:
    (mine / "experiment").mkdir()
    text = f"# @package _global_\nhydra:\n  sweeper:\n    params: {params}\n"
    (mine / "experiment" / "sweep.yaml").write_text(text)
    assert "\n".join(problems("experiment=sweep", config_dir=mine, multirun=True)) == message


def test_a_part_of_ones_own_is_one_yaml_file(mine: Path) -> None:
    composed = compose([*HERE, "loss=mine", "allow_targets=[mine_parts]"], mine)
    assert composed.config.loss == {"_target_": "mine_parts.Loss"}
    assert composed.choices["loss"] == "mine"
    assert (
        check_command(
            [*HERE, "loss=mine", f"hydra.searchpath=['{mine}']", "allow_targets=[mine_parts]"]
        ).first.choices["loss"]
        == "mine"
    )


@pytest.mark.hostile("configuration: code")
def test_without_the_grant_nothing_is_imported(mine: Path) -> None:
    grant = "# @package _global_\nallow_targets: [mine_parts]\nloss:\n  _target_: mine_parts.Loss\n"
    (mine / "experiment").mkdir()
    (mine / "experiment" / "greedy.yaml").write_text(grant)
    for override in ("loss=mine", "experiment=greedy"):
        with pytest.raises(InputError, match="mine_parts"):
            compose([*HERE, override], mine)
    assert not (mine.parent / "mine_parts.py.ran").exists()
    compose([*HERE, "loss=mine", "allow_targets=[mine_parts]"], mine)
    assert (mine.parent / "mine_parts.py.ran").exists(), "else the first half proves nothing"


HOSTILE = {
    "callback": "hydra:\n  callbacks: {x: {_target_: subprocess.run, args: touch RAN}}\n",
    "logging": "hydra:\n  job_logging: {handlers: {console: {(): subprocess.Popen}}}\n",
    "pickle": "hydra:\n  callbacks:\n    x:\n      _target_: "
    "hydra.experimental.callbacks.PickleJobInfoCallback\n",
    "launcher": "hydra:\n  launcher:\n    _target_: os.system\n",
    "environment": "hydra:\n  job:\n    env_set:\n      LD_PRELOAD: evil.so\n",
    "part": "loss:\n  _target_: os.system\n  command: touch RAN\n",
    "loader": "data:\n  _target_: pickle.load\n  file: x\n",
    "stray": "head:\n  _target_: os.system\n  command: touch RAN\n",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
@pytest.mark.hostile("configuration: code")
def test_a_hostile_file_runs_nothing(
    name: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine)

    def called(*args: object, **kwargs: object) -> None:
        (mine / "RAN").touch()

    for target in ("os.system", "subprocess.run", "subprocess.Popen", "pickle.load"):
        monkeypatch.setattr(target, called)
    (mine / "experiment").mkdir()
    text = f"# @package _global_\n{HOSTILE[name]}"
    (mine / "experiment" / "evil.yaml").write_text(text)
    for multirun in (False, True):
        with pytest.raises(InputError, match=r"not allowed|not a setting|no callback"):
            check_command([*HERE, "experiment=evil"], mine, multirun=multirun)
    assert not (mine / "RAN").exists()


@pytest.mark.hostile("configuration: code")
def test_a_file_that_one_combination_alone_loads_is_checked(mine: Path) -> None:
    for folder, names in (("a", "xy"), ("b", "xy"), ("extra", ("x_x", "x_y", "y_x"))):
        (mine / folder).mkdir()
        for name in names:
            (mine / folder / f"{name}.yaml").write_text("# @package _global_\n")
    (mine / "extra" / "y_y.yaml").write_text(f"# @package _global_\n{HOSTILE['callback']}")
    (mine / "mine.yaml").write_text(
        "defaults:\n  - config\n  - a: x\n  - b: x\n  - extra: ${a}_${b}\n  - _self_\n"
    )
    with pytest.raises(InputError, match="no callback is allowed"):
        check_command([*HERE, "a=x,y", "b=x,y"], mine, "mine", multirun=True)
    check_command([*HERE, "a=x,y", "b=x"], mine, "mine", multirun=True)


@pytest.mark.parametrize(
    "level", ["${now:%S}", "${oc.env:HOME}", "x_${oc.select:${a}}", "${${a}:X}"]
)
@pytest.mark.hostile("configuration: code")
def test_a_defaults_list_cannot_change_its_mind(level: str, mine: Path) -> None:
    (mine / "loss" / "moody.yaml").write_text(f"defaults:\n  - /extra: {level}\n")
    for folder, search in ((mine, []), (None, [f"hydra.searchpath=['{mine}']"])):
        with pytest.raises(InputError, match=r"moody\.yaml: .*defaults.*resolver"):
            check_command([*HERE, *search, "loss=moody"], folder)


def test_a_broken_file_is_named_with_its_line(mine: Path) -> None:
    (mine / "loss" / "broken.yaml").write_text("a: 1\nb: c: d\n")
    with pytest.raises(InputError, match=r"broken\.yaml, line 2\W"):
        compose([*HERE, "loss=broken"], mine)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config_name": "absent"}, Naming("'absent'")),
        (
            {"config_dir": Path("/no/such/folder")},
            Naming("/no/such/folder"),
        ),
    ],
)
def test_a_missing_source_is_named(options: dict[str, object], message: Naming) -> None:
    assert problems(**options)[0] == message


@pytest.mark.hostile("configuration: code")
def test_a_primary_config_of_ones_own_imports_no_package(mine: Path) -> None:
    (mine / "evil.yaml").write_text("hydra:\n  searchpath: [pkg://mine_parts]\n")
    with pytest.raises(InputError, match="'pkg://mine_parts' is not allowed"):
        check_command([], mine, "evil")
    assert not (mine.parent / "mine_parts.py.ran").exists()
