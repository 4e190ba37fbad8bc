"""`mmclf diff`: what differs between two runs, and nothing else."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import yaml
from message_facts import Naming

from mmclf.cli.diff import differing, differing_metrics
from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker


def test_only_what_differs_is_a_row_places_last() -> None:
    first = {"device": "cpu", "loss": "bce", "seed": "0", "gone": "1"}
    second = {"device": "cuda", "loss": "focal", "seed": "0", "new": "2"}
    assert differing(first, second) == [
        ["loss", "bce", "focal"],
        ["gone", "1", "-"],
        ["new", "-", "2"],
        ["device", "cpu", "cuda"],
    ]


def test_f1_is_in_points_and_the_second_run_is_compared_with_the_first() -> None:
    nan = math.nan
    first = {"test/f1_samples": 0.8, "time/cold_s": 1.5, "test/map": 0.5, "same": 1.0, "no": nan}
    second = {"test/f1_samples": 0.85, "time/cold_s": 250.0, "same": 1.0, "no": nan}
    assert differing_metrics(first, second) == [
        ["test/f1_samples", "80.00", "85.00", "+5.00"],
        ["test/map", "50.00", "-", "-"],
        ["time/cold_s", "1.5000", "250.0", "+248.5"],
    ]


def log(
    folder: Path, files: dict[str, str], tags: dict[str, str], metrics: dict[str, float]
) -> str:
    tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)
    with tracker.run("a run", {f"mmclf.{name}": value for name, value in tags.items()}, None) as of:
        of.params({"loss": tags["loss"], "optimizer.lr": "0.1"})
        of.metrics(metrics)
        kept = folder / "kept"
        kept.mkdir(exist_ok=True)
        for path in kept.iterdir():
            path.unlink()
        for name, text in files.items():
            (kept / name).write_text(text)
        of.artifacts(kept)
    return of.id


def config(lr: float) -> str:
    return yaml.safe_dump({"loss": {"_target_": "x"}, "optimizer": {"lr": lr}, "device": "cpu"})


def test_each_kind_of_difference_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = {"loss": "bce", "data_digest": "aa", "commit": "c1", "hardware": "2 x A"}
    packages = "numpy==2.4.1\ntorch==2.12.1+cpu\nmmclf==1 (editable)\n"
    files = {"config.yaml": config(0.1), "packages.txt": packages, "patch.diff": "+one\n"}
    ids = [
        log(tmp_path, files, tags, {"test/f1_samples": 0.5, "test/f1_label/cat": 0.1}),
        log(
            tmp_path,
            {
                "config.yaml": config(0.2),
                "packages.txt": packages.replace("2.4.1", "2.5.0"),
                "patch.diff": "+two\n",
            },
            {"loss": "focal", "data_digest": "bb", "commit": "c2-dirty", "hardware": "2 x A"},
            {"test/f1_samples": 0.6, "test/f1_label/cat": 0.2},
        ),
    ]
    capsys.readouterr()
    assert main(["diff", *ids, f"output_dir={tmp_path}"]) == 0
    shown = capsys.readouterr().out
    rows = [tuple(re.split(r"  +", line.strip())) for line in shown.splitlines()]
    assert set(rows) >= {
        ("loss", "bce", "focal"),
        ("optimizer.lr", "0.1", "0.2"),
        ("data_digest", "aa", "bb"),
        ("commit", "c1", "c2-dirty"),
        ("numpy", "2.4.1", "2.5.0"),
        ("test/f1_samples", "50.00", "60.00", "+10.00"),
        ("the same: hardware",),
    }
    assert "torch" not in shown
    assert "device" not in shown
    assert shown == Naming("1", "--all", "patch.diff")
    assert "f1_label" not in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    capsys.readouterr()
    assert main(["diff", "--all", *ids, f"output_dir={tmp_path}"]) == 0
    assert "test/f1_label/cat" in capsys.readouterr().out


def test_runs_of_an_earlier_version_are_compared_by_what_was_tracked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [
        log(tmp_path, {}, {"loss": loss, "versions": f"mmclf {loss}"}, {}) for loss in ("a", "b")
    ]
    capsys.readouterr()
    assert main(["diff", ids[0][:20], ids[1][:20], f"output_dir={tmp_path}"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^loss +a +b$", shown, re.MULTILINE)
    assert re.search(r"^versions +mmclf a +mmclf b$", shown, re.MULTILINE)
    assert shown == Naming("packages", "not kept")


@pytest.mark.parametrize("words", [["a"], ["a", "b", "c"]])
def test_two_runs_are_expected(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *words, f"output_dir={tmp_path}"]) == 2
    assert capsys.readouterr().err == Naming(len(words), "two")


def test_a_run_is_not_compared_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = log(tmp_path, {}, {"loss": "bce"}, {})
    assert main(["diff", run, run, f"output_dir={tmp_path}"]) == 2
    assert capsys.readouterr().err == Naming(run, "two runs")
