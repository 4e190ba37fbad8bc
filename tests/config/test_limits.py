"""A configuration of a few lines does not come to millions of values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from command_lines import HERE, problems
from hypothesis import given
from hypothesis import strategies as st

from mmclf.cli.main import main
from mmclf.config.compose import check_command
from mmclf.config.composer import open_composer
from mmclf.config.limits import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_NESTING,
    MAX_NODES,
    check_brackets,
    check_expansion,
    check_yaml,
)
from mmclf.config.overrides import read
from mmclf.errors import InputError


def aliases(levels: int, width: int = 10) -> str:
    """YAML whose last line holds width ** levels values."""
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]"
        for level in range(1, levels)
    ]
    return "\n".join(lines)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def folder_with(folder: Path, text: str) -> Path:
    (folder / "experiment").mkdir()
    (folder / "experiment" / "large.yaml").write_text(f"# @package _global_\n{text}\n")
    return folder


HOSTILE: dict[str, Callable[[], str]] = {
    "aliases": lambda: aliases(10),
    "merged": lambda: "a: &a {x: 1}\n" + "".join(f"b{i}: {{<<: *a}}\n" for i in range(40_000)),
    "a text that is repeated": lambda: f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 200)}]",
    "lists": lambda: f"a: {nested(MAX_NESTING + 1)}",
    "very deep lists": lambda: f"a: {nested(100_000)}",
    "mappings": lambda: "\n".join(f"{' ' * i}a:" for i in range(MAX_NESTING + 2)),
    "deep by aliases": lambda: "\n".join(
        ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, MAX_NESTING + 2))]
    ),
    "itself": lambda: "a: &a [x, *a]",
    "interpolations in a text": lambda: f"a: '{'${' * 60}b{'}' * 60}'",
    "bytes": lambda: "a: b\n" + "# comment\n" * (MAX_FILE_BYTES // 10),
    "values": lambda: f"a: [{'x, ' * MAX_NODES}]",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.hostile("configuration: bounds")
def test_a_file_that_comes_to_too_much_is_refused(name: str, tmp_path: Path) -> None:
    text = HOSTILE[name]()
    with pytest.raises(InputError, match=r"^large\.yaml: "):
        check_yaml(text.encode(), "large.yaml")
    folder = folder_with(tmp_path, text)
    (message,) = problems("experiment=large", config_dir=folder)
    assert "large.yaml: " in message
    assert len(message) < 1000


@pytest.mark.parametrize("arguments", [["--cfg", "job"], ["show"], ["show", "experiment"], []])
@pytest.mark.hostile("configuration: bounds")
def test_a_file_that_nobody_chose_is_not_expanded(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder_with(tmp_path, aliases(10))
    assert main(["--config-dir", ".", *arguments, *([] if arguments else ["seed=-1"])]) in (0, 2)


def test_both_sides_of_the_limits(tmp_path: Path) -> None:
    fits = [
        f"a: {nested(MAX_NESTING - 1)}",
        f"a: [{'x, ' * (MAX_NODES - 4)}]",
        "a: b".ljust(MAX_FILE_BYTES),
        aliases(4),
        "a: &a [x]\nb: *a\nc: *a\n",
        "a: &a {x: 1}\nb: {<<: *a, y: 2}\n",
    ]
    for text in fits:
        check_yaml(text.encode(), "x")
    for text in (f"a: {nested(MAX_NESTING)}", f"a: [{'x, ' * MAX_NODES}]", " " * 1_000_001):
        with pytest.raises(InputError):
            check_yaml(text.encode(), "x")


def test_what_is_no_yaml_is_left_to_its_reader_and_what_is_no_text_named(tmp_path: Path) -> None:
    check_yaml(b"a: b: c", "x")
    with pytest.raises(InputError, match="x: found no UTF-8 text"):
        check_yaml(b"a: \xff", "x")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abc", max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab"), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_small_yaml_passes(value: object) -> None:
    check_yaml(yaml.safe_dump({"a": value}).encode(), "x")


@pytest.mark.parametrize("opening", ["[", "{a:", "${", "choice("])
@pytest.mark.hostile("configuration: bounds")
def test_overrides_are_not_nested_without_end(opening: str) -> None:
    for count in (MAX_NESTING + 1, 5_000):
        line = f"loss.x={opening * count}"
        override, problem = read(line)
        assert override is None
        assert problem is not None
        assert f"nested {count} deep" in problem
        assert len(problem) < 200
        messages = problems(line, f"+{line}", "seed=-1")
        assert len(messages) == 3 - ("seed" not in messages[-1])
    assert check_brackets("[" * MAX_NESTING) is None


@pytest.mark.parametrize(
    "text",
    [
        *("hydra.searchpath=" + nested(2_000), "allow_targets=" + nested(2_000)),
        *("loss=" + nested(2_000), nested(2_000), nested(2_000) + "=1", "loss=" + "(" * 3_000),
    ],
)
@pytest.mark.parametrize("command", [[], ["-m"], ["plan"], ["report"], ["show"]])
@pytest.mark.hostile("configuration: bounds")
def test_no_override_ends_in_a_traceback(text: str, command: list[str]) -> None:
    assert main([*command, text]) in (0, 2)  # `show` composes what it is asked for alone


def interpolated(levels: int, template: str) -> dict[str, object]:
    """A config whose settings name one another, each twice or more."""
    tree: dict[str, object] = {"s0": "x"}
    for level in range(1, levels):
        tree[f"s{level}"] = template.replace("$$", f"${{s{level - 1}}}")
    return tree


@pytest.mark.parametrize(
    "tree",
    [
        interpolated(40, "$$$$"),
        interpolated(40, "${oc.select:s0}$$$$"),
        {"a": {1: interpolated(2, "")}, **interpolated(40, "$$-$$")},
        {f"a{i}": [f"${{a{i - 1}}}"] * 10 for i in range(1, 10)} | {"a0": ["x"] * 10},
        {f"a{i}": {1: [f"${{...a{i - 1}}}"] * 10} for i in range(1, 10)} | {"a0": ["x"] * 10},
        interpolated(MAX_NESTING + 2, "$$"),
        {"a": "${b}", "b": "${a}"},
        {"a": {"b": "${a}"}},
        {"a": "x" * 100_000, "b": "${a}" * 200},
        {"a": "${oc.dict.values:b}", "b": {"c": "${oc.dict.values:d}"}, "d": {"e": "${a}"}},
        {"hydra": {"job": {"name": "${hydra:job.name}"}}},
    ],
)
@pytest.mark.hostile("configuration: bounds")
def test_interpolations_do_not_multiply_without_end(tree: dict[str, object]) -> None:
    (message,) = check_expansion(tree)
    assert len(message) < 300


@pytest.mark.parametrize(
    "tree",
    [
        interpolated(10, "$$$$"),
        interpolated(20, "$$"),
        {"a": "${b}", "b": [1, 2]},
        {"a": "${now:%H}${oc.env:HOME}", "b": {"c": "${.d}", "d": "${..a}"}},
        {"a": "${nothing}", "b": "${a.${c}}", "c": "x"},
        {"hydra": {"overrides": {"task": ["a=${hydra.overrides.task}"]}}},
    ],
)
def test_what_is_small_passes(tree: dict[str, object]) -> None:
    assert check_expansion(tree) == []


@pytest.mark.hostile("configuration: bounds")
def test_a_file_of_interpolations_is_refused_before_any_is_resolved(tmp_path: Path) -> None:
    lines = [f"x{level}: ${{x{level - 1}}}${{x{level - 1}}}" for level in range(1, 40)]
    folder = folder_with(tmp_path, "\n".join(["x0: x", *lines]))
    for multirun in (False, True):
        messages = problems("experiment=large", config_dir=folder, multirun=multirun)
        assert any("once" in text and "interpolations are resolved" in text for text in messages)


@pytest.mark.hostile("configuration: bounds")
def test_defaults_lists_do_not_multiply_without_end(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for level in range(40):
        below = f"  - l{level + 1}@a\n  - l{level + 1}@b\n"
        (tmp_path / "many" / f"l{level}.yaml").write_text(f"defaults:\n{below}")
    (tmp_path / "many" / "l40.yaml").write_text("x: 1\n")
    with (
        open_composer([], tmp_path) as composer,
        pytest.raises(InputError, match=f"more than {MAX_FILES:,} config files"),
    ):
        composer.compose(["+many=l0"])
    with open_composer([], tmp_path) as composer:
        for _ in range(2):  # each composition counts by itself
            composer.compose([*HERE, "+many=l37"])


@pytest.mark.hostile("configuration: bounds")
@pytest.mark.parametrize(
    "words",
    [
        "range(0,100001)",
        "shuffle(range(0,10000000000))",
        "range(0,1,0.000000000001)",
        "range(0,100000000000000000000000)",
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_a_sweep_is_not_longer_than_anybody_runs(
    words: str, from_file: bool, tmp_path: Path
) -> None:
    (tmp_path / "experiment").mkdir()
    params = f"hydra: {{sweeper: {{params: {{seed: '{words}'}}}}}}\n"
    (tmp_path / "experiment" / "long.yaml").write_text(f"# @package _global_\n{params}")
    line = "experiment=long" if from_file else f"seed={words}"
    with pytest.raises(InputError, match="100,000"):
        check_command([*HERE, line], tmp_path, multirun=True)


def test_both_sides_of_the_longest_sweep() -> None:
    fine = ["seed=range(0,1000)", "split.test_seed=range(0,100)"]
    with pytest.raises(InputError, match="200,000 runs"):
        check_command([*HERE, *fine, "augment.seed=0,1"], multirun=True)
    with open_composer(fine, None) as composer:
        axes, actual = composer.axes(fine)
    assert ([axis.count for axis in axes], actual) == ([1000, 100], [])


@pytest.mark.hostile("configuration: bounds")
@pytest.mark.parametrize("number", ["1:" * 5000 + "1", "0x" + "f" * 9000, "9" * 9000])
def test_a_number_of_more_digits_than_python_prints_is_refused(number: str, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "x.yaml").write_text(f"# @package _global_\nseed: {number}\n")
    with pytest.raises(InputError, match="digits"):
        check_command([*HERE, "experiment=x"], tmp_path)
