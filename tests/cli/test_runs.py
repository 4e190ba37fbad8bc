"""`mmclf runs`: which runs, in which order, and the arms that they belong to."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.cli.runs import SHARE, leaderboard
from mmclf.storage.tracking import TrackedRun, Tracker

VAL, TEST = "val/f1_samples", "test/f1_samples"


def run(number: int, arm: str, val: float, data: str = "d", **more: float) -> TrackedRun:
    return TrackedRun(
        id=f"{number:032x}",
        name=f"{arm}, seed={number}",
        status="FINISHED",
        started_ms=1_700_000_000_000 + number,
        parent=None,
        tags={"mmclf.arm": arm, "mmclf.data_digest": data},
        params={},
        metrics={VAL: val, TEST: 1 - val, **more},
    )


def test_arms_are_ranked_on_the_validation_samples_whatever_the_test_set_says() -> None:
    board = leaderboard([run(1, "a", 0.5), run(2, "b", 0.7), run(3, "b", 0.9)], VAL)
    assert list(board["arm"]) == ["b", "a"]
    assert list(board["runs"]) == [2, 1]
    assert list(board[VAL]) == pytest.approx([0.8, 0.5])
    assert board[f"{VAL} SD"][0] == pytest.approx(0.2 / 2**0.5)
    assert board[f"{VAL} SD"].isna().tolist() == [False, True]
    assert list(board[TEST]) == pytest.approx([0.2, 0.5])


def test_arms_by_another_key_are_in_its_order() -> None:
    runs = [run(1, "a", 0.5, loss=2.0), run(2, "b", 0.7, loss=1.0), run(3, "c", 0.6)]
    board = leaderboard(runs, "loss")
    assert list(board["arm"]) == ["b", "a", "c"]  # the smallest loss first, none last
    assert list(leaderboard(runs, "loss", is_reversed=True)["arm"]) == ["c", "a", "b"]


def test_the_same_overrides_on_other_data_are_another_arm() -> None:
    board = leaderboard([run(1, "a", 0.5), run(2, "a", 0.7, data="e")], VAL)
    assert list(board["data"]) == ["e", "d"]
    assert list(board["runs"]) == [1, 1]
    assert "study" not in board


def test_what_has_not_finished_is_in_no_arm() -> None:
    failed = TrackedRun("f", "f", "FAILED", 0, None, {"mmclf.arm": "f"}, {}, {VAL: 1.0})
    assert list(leaderboard([failed], VAL).columns) == ["arm", "runs", VAL, TEST, "time/cold_s"]


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    """Four runs, the later ones with higher scores and longer times."""
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    for number in range(4):
        arm = "a" if number < 2 else "b"
        with tracker.run(f"run {number}", {"mmclf.arm": arm}, None) as log:
            log.params({"loss": "bce" if number % 2 else "focal"})
            log.metrics({TEST: 0.8 + number / 50, VAL: 0.7, "time/cold_s": 10.0 - number})
    return tmp_path


def listed(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """The names of the runs, in the order that they are listed in."""
    capsys.readouterr()
    assert main(["runs", *options, f"output_dir={folder}"]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter="\t")
    return [row["name"].removeprefix("run ") for row in rows]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "3210"),
        (["--where", "test/f1_samples > 0.83"], "32"),
        (["--where", "loss = focal and test/f1_samples < 0.83"], "0"),
        (["--sort", "test/f1_samples"], "3210"),
        (["--sort", "test/f1_samples", "--reverse"], "0123"),
        (["--sort", "time/cold_s"], "3210"),
        (["--sort", "loss"], "3120"),
        (["--sort", "name"], "0123"),
        (["--last", "2"], "32"),
        (["--last", "2", "--sort", "name"], "23"),
        (["--where", "loss = bce", "--last", "1"], "3"),
        (["--reverse"], "0123"),
    ],
)
def test_runs_are_chosen_and_sorted(
    options: list[str], expected: str, tracked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "".join(listed(tracked, capsys, *options)) == expected


def test_what_is_asked_for_is_shown(tracked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["runs", "--where", "loss = bce", "--sort", VAL, f"output_dir={tracked}"]
    assert main(words) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split("\t")[-3:] == ["loss", VAL, "name"]
    assert {row.split("\t")[-3] for row in rows} == {"bce"}


def test_off_a_terminal_arms_have_tracked_names_and_points(
    tracked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "--by", "arm", "--sort", TEST, f"output_dir={tracked}"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter="\t"))
    assert [(row["arm"], row["runs"], row[TEST], row[f"{TEST} SD"]) for row in rows] == [
        ("b", "2", "85.00", "1.41"),
        ("a", "2", "81.00", "1.41"),
    ]


def test_a_table_is_in_points_and_csv_in_shares(
    tracked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["runs", "--last", "1", "--where", "val/f1_samples > 0.5", f"output_dir={tracked}"]
    assert main(words) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter="\t")
    assert (row[TEST], row[VAL], row["time/cold_s"]) == ("86.00", "70.00", "7.0")
    assert main([*words, "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(row[TEST]) == pytest.approx(0.86, abs=1e-12)  # unrounded
    assert float(row[VAL]) == 0.7
    assert main(["runs", "--by", "arm", "--format", "csv", f"output_dir={tracked}"]) == 0
    first = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(first[TEST]) == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("name", "is_share"),
    [
        (TEST, True),
        ("epoch/train/map", True),
        ("test/f1_label/person", True),
        ("val/f1_macro_at_0.5", True),
        (f"{VAL} SD", True),
        ("val/loss", False),
        ("test/labels_without_positive", False),
        ("time/cold_s", False),
    ],
)
def test_what_is_shown_in_points(name: str, is_share: bool) -> None:
    assert (SHARE.fullmatch(name) is not None) == is_share


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (["--where", "loss is bce"], ("--where", "loss is bce")),
        (["--where", "test/f1_sample > 1"], ("--where", "'test/f1_samples'")),
        (["--sort", "los"], ("--sort", "'los'", "'loss'")),
    ],
)
def test_what_no_run_has_is_answered(
    options: list[str],
    facts: tuple[str, ...],
    tracked: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["runs", *options, f"output_dir={tracked}"]) == 2
    assert capsys.readouterr().err == Naming(*facts)
