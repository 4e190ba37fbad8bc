"""Hydra writes below output_dir, whatever a config says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_lines import problems

from mmclf.cli.main import main
from mmclf.config.hydra_folders import check_folders


def tree(**hydra: object) -> dict[str, Any]:
    """An unresolved config; `run_dir=x` is hydra.run.dir=x."""
    given = {
        "run_dir": "${output_dir}/runs/${now:%Y-%m-%d_%H-%M-%S-%f}",
        "sweep_dir": "${output_dir}/sweeps/x",
        "sweep_subdir": "${hydra.job.num}",
        "output_subdir": ".hydra",
    } | hydra
    return {
        "output_dir": "${oc.env:HOME}/out",
        "seed": 3,
        "places": {"a": "x", "b": "/etc", "c": "${seed}"},
        "hydra": {
            "run": {"dir": given["run_dir"]},
            "sweep": {"dir": given["sweep_dir"], "subdir": given["sweep_subdir"]},
            "output_subdir": given["output_subdir"],
            "job": {"name": "mmclf", "num": "???", "id": "???", "override_dirname": "a=1"},
            "runtime": {"cwd": "/somewhere"},
        },
    }


def named(tree: dict[str, Any], output_dir: str = "out") -> list[str]:
    return [text.partition(":")[0] for text in check_folders(tree, output_dir)]


def test_the_shipped_folders_are_below() -> None:
    assert named(tree()) == []


@pytest.mark.parametrize(
    ("value", "output_dir"),
    [
        ("${output_dir}/mine", "out"),
        ("${output_dir}/mine/${now:%H}/${hydra.job.num}_${hydra.job.id}", "/abs/out"),
        ("${output_dir}/${hydra.job.name}/${hydra.job.override_dirname}/${seed}", "../out"),
        ("out/runs/x", "out"),
        ("./out/runs", "out"),
        ("/somewhere/out/x", "/somewhere/out"),
        ("${hydra.runtime.cwd}/out/x", "/somewhere/out"),
    ],
)
def test_what_is_below_is_allowed(value: str, output_dir: str) -> None:
    assert named(tree(run_dir=value, sweep_dir=value), output_dir) == []


@pytest.mark.parametrize(
    "value",
    [
        *("/etc", "precious", ".", "..", "out", "${output_dir}", "${output_dir}/", "", 3, None),
        *(
            "${output_dir}/..",
            "${output_dir}/a/../b",
            "${output_dir}/../out2",
            "out/../x",
            "outside",
        ),
        *("${output_dir}/store", "${output_dir}/artifacts/1/x", "${output_dir}/studies/loss"),
        *("${output_dir}/mlflow.db", "${output_dir}/mlflow.db-journal"),
        *("${output_dir}/${places.b}/../..", "${output_dir}/${now:%H/..}/..", "${output_dir}x"),
        # What is checked must be what Hydra reads, at another time and for another job.
        *("${output_dir}/${places.${seed}}", "${output_dir}/${places.c}", "${places.a}"),
        *(
            "${output_dir}/.${now:%p}./x",
            "${output_dir}/${now:${seed}}",
            "${output_dir}/${nothing}",
        ),
        *("${output_dir}/${oc.env:HOME}", "${output_dir}/${hydra:job.num}", "${oc.env:HOME}/out/x"),
        *("${output_dir}/${.dir}", "${output_dir}/a\nb", "${output_dir}/\x1b[0m"),
    ],
)
@pytest.mark.hostile("configuration: places and lines")
def test_what_is_not_below_or_could_be_elsewhere_is_refused(value: object) -> None:
    assert named(tree(run_dir=value)) == ["hydra.run.dir"]
    assert named(tree(sweep_dir=value)) == ["hydra.sweep.dir"]


@pytest.mark.parametrize(
    "value", ["..", "a/../../b", "/etc", "${places.${seed}}", None, "${places.b}"]
)
@pytest.mark.hostile("configuration: places and lines")
def test_a_jobs_folder_is_in_its_sweeps(value: object) -> None:
    assert named(tree(sweep_subdir=value)) == ["hydra.sweep.subdir"]


@pytest.mark.parametrize("value", [".", "..", "", "a/b", "/etc", "../x", "${seed}", 3])
@pytest.mark.hostile("configuration: places and lines")
def test_the_subfolder_is_a_name(value: object) -> None:
    assert named(tree(output_subdir=value)) == ["hydra.output_subdir"]
    assert named(tree(output_subdir=None)) == named(tree(output_subdir="conf")) == []


@pytest.mark.parametrize("from_file", [False, True])
@pytest.mark.parametrize("key", ["run.dir", "sweep.dir", "sweep.subdir"])
@pytest.mark.hostile("configuration: places and lines")
def test_a_file_outside_is_not_overwritten(
    key: str, from_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "config.yaml").write_text("precious: data\n")
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    part, _, name = key.partition(".")
    (tmp_path / "conf" / "experiment" / "elsewhere.yaml").write_text(
        f"# @package _global_\nhydra:\n  {part}:\n    {name}: {precious}\n  output_subdir: .\n"
    )
    given = ["experiment=elsewhere"] if from_file else [f"hydra.{key}={precious}"]
    for multirun in ([], ["-m"]):
        assert main(["--config-dir", "conf", *multirun, *given]) == 2
    assert {path.name for path in precious.iterdir()} == {"config.yaml"}
    assert (precious / "config.yaml").read_text() == "precious: data\n"
    assert f"hydra.{key}" in "\n".join(problems(*given, config_dir=tmp_path / "conf"))
