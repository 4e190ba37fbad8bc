"""The command line, called as a user would: exit status, last line, runs left in MLflow."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from message_facts import Naming
from omegaconf import OmegaConf

from mmclf.cli.job import Job
from mmclf.cli.main import main
from mmclf.config.composer import open_composer
from mmclf.config.grants import NO_GRANTS
from mmclf.errors import InputError
from mmclf.storage.tracking import TrackedRun, Tracker

SMALL = ("data.train=160", "data.test=40", "trainer.epochs=2")
LAST_LINE = r"run_id: [0-9a-f]{32}  test/f1_samples: 0\.\d{4}  time/wall_s: \d+\.\d"


def tracked(folder: Path) -> list[TrackedRun]:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).runs()


def test_a_run_ends_with_its_id_score_and_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, f"output_dir={tmp_path}"]) == 0
    last = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert re.fullmatch(LAST_LINE, last)
    (run,) = tracked(tmp_path)
    assert (run.status, run.parent) == ("FINISHED", None)
    assert run.id in last


def test_a_sweep_goes_on_after_a_failed_run_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ["-m", *SMALL, f"output_dir={tmp_path}", "optimizer.lr=1e20,1e-3"]
    assert main(sweep) == 1
    printed = capsys.readouterr()
    assert printed.err.count("NonFiniteLossError") == 1
    assert "Traceback" not in printed.err
    assert printed.out.splitlines()[-1] == Naming("1 failed", "1 finished")
    runs = tracked(tmp_path)
    (parent,) = [run for run in runs if run.parent is None]
    children = {run.params["optimizer.lr"]: run for run in runs if run.parent == parent.id}
    assert {lr: run.status for lr, run in children.items()} == {
        "1e+20": "FAILED",
        "0.001": "FINISHED",
    }
    assert parent.status == "FAILED"
    assert parent.metrics == {}
    results = tmp_path / "artifacts" / parent.id / "artifacts" / "results.csv"
    assert len(results.read_text().splitlines()) == 3


def test_a_sweep_that_goes_well_exits_0(tmp_path: Path) -> None:
    assert main([*SMALL, "-m", f"output_dir={tmp_path}", "seed=0,1"]) == 0
    runs = tracked(tmp_path)
    assert [run.status for run in runs] == ["FINISHED"] * 3
    assert {run.tags.get("mmclf.seed") for run in runs} == {None, "0", "1"}
    (parent,) = [run for run in runs if run.parent is None]
    assert parent.tags["mmclf.overrides"].endswith("seed=0,1")
    assert {"mmclf.hardware", "mmclf.versions"} < set(parent.tags)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["visoin=none"], "did you mean 'vision'?"),
        (["trainer.epoch=3"], "did you mean 'trainer.epochs'?"),
        (["-m", "text=tfidf,tfid"], "did you mean 'tfidf'?"),
        (["--experimental-rerun", "config.pickle"], "--experimental-rerun is refused"),
        (["--config-path", "elsewhere"], "--config-path is refused"),
        (["--hydra-help", "seed=1"], "takes no overrides"),
        (["runs", "nonsense"], "'nonsense' is no KEY=VALUE"),
        (["device=tpu:7"], "choose auto or cpu"),
    ],
)
def test_bad_command_lines_exit_2_and_leave_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    output = [] if arguments[0].startswith("--") else [f"output_dir={tmp_path}"]
    assert main([*arguments, *output]) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "runs").exists()


@pytest.mark.hostile("configuration: code")
def test_a_pickle_is_never_rerun(tmp_path: Path) -> None:
    sentinel = tmp_path / "executed"

    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(sentinel),)

    file = tmp_path / "config.pickle"
    file.write_bytes(pickle.dumps(Payload()))
    assert main(["--experimental-rerun", str(file)]) == 2
    assert not sentinel.exists()


def test_the_composed_configuration_can_be_looked_at_without_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--cfg", "job", "experiment=improved", f"output_dir={tmp_path}/out"]) == 0
    shown = capsys.readouterr().out
    assert "tf_efficientnetv2_s.in21k_ft_in1k" in shown
    assert "value: 0.45" in shown
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["-m", "seed=0,1", "--help"], "one run"), (["--version"], "mmclf ")],
)
def test_help_and_version_run_nothing(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 0
    assert words in capsys.readouterr().out


def test_a_job_that_cannot_be_composed_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("found this, expected that")

    monkeypatch.setattr("mmclf.config.composed.ConfigChecker.check_job", refuse)
    assert main([*SMALL, f"output_dir={tmp_path}"]) == 2
    assert "found this, expected that" in capsys.readouterr().err


@pytest.mark.parametrize("monitor", ["val/loss", "val/map", "val/f1_samples_fitted"])
def test_a_job_gives_sweepers_the_validation_metric_that_is_monitored(
    tmp_path: Path, monitor: str
) -> None:
    lines = [*SMALL, f"output_dir={tmp_path}", f"trainer.monitor={monitor}"]
    with open_composer(lines) as composer:
        cfg = composer.compose(lines)
        HydraConfig.instance().set_config(cfg)
        task = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
        returned = Job(NO_GRANTS, wants_traceback=False)(task)
    (run,) = tracked(tmp_path)
    assert returned == pytest.approx(run.metrics[monitor])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-m", "--run"], "--run and --multirun"),
        (["--info", "searchpath", "--cfg", "job"], "--cfg and --info"),
    ],
)
def test_flags_that_do_not_go_together_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--cfg", "job"], ["--info", "config"], ["--cfg", "hydra"], []]
)
@pytest.mark.hostile("configuration: code")
def test_whatever_is_shown_or_run_is_checked_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "evil.yaml").write_text("_target_: os.system\ncommand: touch RAN\n")
    assert main([*arguments, "--config-dir", str(tmp_path), "loss=evil", "seed=-1"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert {"loss._target_", "seed:"} <= set(printed.err.split())


def test_levels_are_completed_also_where_a_setting_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "mmclf data=table vision=resn"
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["--shell-completion", "query=bash"]) == 0
    assert capsys.readouterr().out.split() == ["vision=resnet18", "vision=resnet50"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mmclf.cli.main import main; main(['--help']); "
        "heavy = {'torch', 'mlflow', 'sklearn', 'timm', 'transformers', 'matplotlib', 'pandas'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
    assert "efficientnet_lite0" in done.stdout


def test_a_sweep_whose_jobs_cannot_be_loaded_runs_nothing_and_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmclf.config.compose.MAX_COMBINATIONS", 0)
    level = "# @package _global_\nhydra:\n  callbacks: {x: {_target_: subprocess.run}}\n"
    for name in ("a/x", "a/y", "b/x", "b/y", "extra/x_x", "extra/x_y", "extra/y_x", "extra/y_y"):
        file = tmp_path / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(level if name == "extra/y_y" else "# @package _global_\n")
    (tmp_path / "conf" / "own.yaml").write_text(
        "defaults:\n  - config\n  - a: x\n  - b: x\n  - extra: ${a}_${b}\n  - _self_\n"
    )
    given = [
        "--config-dir",
        str(tmp_path / "conf"),
        "--config-name",
        "own",
        f"output_dir={tmp_path}",
    ]
    assert main(["-m", *given, *SMALL, "a=x,y", "b=x,y"]) == 2
    assert "hydra.callbacks" in capsys.readouterr().err
    assert [run.parent for run in tracked(tmp_path)] == [None]
