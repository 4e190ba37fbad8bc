"""A group file does not say where outputs go."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from command_lines import CONF, HERE, problems

from mmclf.config.compose import check_command
from mmclf.config.output_locations import LOCATIONS, SHIPPED, check_locations, is_location
from mmclf.config.walk import select


def files(folder: Path, key: str, value: str | bool = "elsewhere") -> Path:
    """A folder with primary configs and a group file that set `key`."""
    (folder / "experiment").mkdir()
    *parents, last = key.split(".")
    node: dict[str, object] = {last: value}
    for parent in reversed(parents):
        node = {parent: node}
    text = yaml.safe_dump(node)
    (folder / "experiment" / "greedy.yaml").write_text(f"# @package _global_\n{text}")
    (folder / "own.yaml").write_text(f"defaults: [config]\n{text}")
    (folder / "base.yaml").write_text(text)
    (folder / "by_base.yaml").write_text("defaults: [config, base]\n")
    return folder


def test_what_is_taken_for_shipped_is() -> None:
    config = yaml.safe_load((CONF / "config.yaml").read_text())
    config["tracking"] = yaml.safe_load((CONF / "tracking" / "mlflow.yaml").read_text())
    assert {key: select(config, key) for key in LOCATIONS} == SHIPPED


@pytest.mark.parametrize("key", LOCATIONS)
@pytest.mark.parametrize("multirun", [False, True])
@pytest.mark.hostile("configuration: places and lines")
def test_a_group_file_does_not_say_it(key: str, multirun: bool, tmp_path: Path) -> None:
    folder = files(tmp_path, key)
    (message,) = problems("experiment=greedy", config_dir=folder, multirun=multirun)
    assert message.startswith(f"{key}: found 'elsewhere' in a config file")
    lines = ["experiment=greedy", f"hydra.searchpath=['{folder}']"]
    (message,) = problems(*lines, multirun=multirun)
    assert message.startswith(f"{key}: ")
    (message,) = problems(config_dir=folder, config_name="by_base")
    assert message.startswith(f"{key}: ")


@pytest.mark.parametrize("key", [key for key in LOCATIONS if isinstance(SHIPPED[key], str)])
def test_the_command_line_and_a_primary_config_say_it(key: str, tmp_path: Path) -> None:
    folder = files(tmp_path, key)
    by_line = check_command([*HERE, "experiment=greedy", f"{key}=here"], folder).first
    assert select(by_line.tree, key) == "here"
    assert select(check_command(HERE, folder, "own").first.tree, key) == "elsewhere"


def test_only_who_types_the_command_has_the_working_tree_kept(tmp_path: Path) -> None:
    folder = files(tmp_path, "tracking.patch", True)
    (message,) = problems("experiment=greedy", config_dir=folder)
    assert message.startswith("tracking.patch: found True in a config file")
    line = "tracking.patch=true"
    assert check_command([*HERE, "experiment=greedy", line], folder).first.config.tracking.patch
    assert check_command(HERE, folder, "own").first.config.tracking.patch
    assert not check_command(HERE).first.config.tracking.patch


def test_mmclfs_own_primary_config_is_not_replaced(tmp_path: Path) -> None:
    shipped = (CONF / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(shipped.replace("output_dir: outputs", "output_dir: o"))
    for name in (None, "config"):
        assert check_command(HERE, tmp_path, name).first.config.output_dir == "outputs"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ["store.dir"]),
        (["store.dir=x"], []),
        (["++store.dir=x"], []),
        (["store={dir:x}"], []),
        (["store={other:x}"], ["store.dir"]),
        (["store=x", "restore.dir=x", "store.dirt=x"], ["store.dir"]),
    ],
)
def test_an_override_says_it_by_its_name(lines: list[str], expected: list[str]) -> None:
    tree = {
        "output_dir": "outputs",
        "store": {"dir": "/x"},
        "tracking": {"uri": SHIPPED["tracking.uri"]},
    }
    assert [text.partition(":")[0] for text in check_locations(tree, lines, {})] == expected


@pytest.mark.hostile("configuration: places and lines")
def test_places_hidden_behind_an_interpolation_are_refused() -> None:
    tree = {"output_dir": "outputs", "store": {"dir": "${x}"}, "tracking": "${y}"}
    actual = [text.partition(":")[0] for text in check_locations(tree, [], {})]
    assert actual == ["store.dir", "tracking.uri"]


@pytest.mark.hostile("configuration: places and lines")
def test_a_sweeper_does_not_say_it(tmp_path: Path) -> None:
    for key in LOCATIONS:
        assert is_location(key)
        assert is_location(f"++{key.partition('.')[0]}")
    assert not is_location("seed")
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\nhydra:\n  sweeper:\n    params: {output_dir: elsewhere}\n"
    (tmp_path / "experiment" / "greedy.yaml").write_text(text)
    (message,) = problems("experiment=greedy", config_dir=tmp_path, multirun=True)
    assert message.startswith("hydra.sweeper.params.output_dir is not allowed")


@pytest.mark.parametrize("kind", ["task", "hydra"])
@pytest.mark.parametrize("multirun", [False, True])
@pytest.mark.hostile("configuration: places and lines")
def test_a_file_adds_no_overrides(kind: str, multirun: bool, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = f"# @package _global_\nhydra:\n  overrides:\n    {kind}: [output_dir=elsewhere]\n"
    (tmp_path / "experiment" / "greedy.yaml").write_text(text)
    messages = problems("experiment=greedy", config_dir=tmp_path, multirun=multirun)
    assert any(text.startswith("hydra.overrides") for text in messages)
