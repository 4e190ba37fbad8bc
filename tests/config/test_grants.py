"""What is allowed is allowed on the command line, and there alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_lines import HERE, problems
from config_tree import tree

from mmclf.config.compose import compose
from mmclf.config.grants import GRANTS, NO_GRANTS, Grants, check_grants, granted_by


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        (["seed=1"], NO_GRANTS),
        (["allow_targets=[a,b.c]"], Grants(targets=("a", "b.c"))),
        (["allow_targets=[a]", "++allow_targets=[b]"], Grants(targets=("b",))),
        (["allow_targets=a", "allow_targets=[", "x.allow_targets=[c]"], NO_GRANTS),
        (["allow_env=[A,B]", "allow_model_types=[opt]"], Grants((), ("A", "B"), ("opt",))),
        (["allow_env=A"], NO_GRANTS),
    ],
)
def test_grants_come_from_the_command_line(lines: list[str], allowed: Grants) -> None:
    assert granted_by(lines) == allowed


@pytest.mark.parametrize("key", GRANTS)
@pytest.mark.hostile("configuration: code")
def test_a_file_grants_itself_nothing(key: str, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    greedy = f"# @package _global_\n{key}: [something]\n"
    (tmp_path / "experiment" / "greedy.yaml").write_text(greedy)
    (tmp_path / "own.yaml").write_text(f"defaults: [config]\n{key}: [something]\n")
    for overrides, name in ((["experiment=greedy"], "config"), ([], "own")):
        messages = problems(*overrides, config_dir=tmp_path, config_name=name)
        assert [text.partition(":")[0] for text in messages] == [key]


@pytest.mark.parametrize(
    "grants",
    [
        Grants(targets=("os",)),
        Grants(env=("A-B",)),
        Grants(env=("",)),
        Grants(model_types=("owner/kernel",)),
        Grants(model_types=("_private",)),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_what_can_be_no_such_name_is_refused(grants: Grants) -> None:
    given = {key: value for key, value in grants.settings.items() if value}
    (message,) = check_grants(tree() | given, grants)
    assert message.startswith(f"{next(iter(given))}: ")


def test_grants_are_in_the_config() -> None:
    config = compose([*HERE, "allow_env=[A]", "allow_model_types=[opt]"]).config
    assert (config.allow_env, config.allow_model_types) == (["A"], ["opt"])
