"""`mmclf plan`: what it says of a study, and that it runs nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker

SMALL = (
    *("study=threshold", "vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=80", "data.test=30", "trainer.epochs=2"),
)


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[list[str]], str]:
    """The rows of the table, split at its gaps, and the lines below it."""
    capsys.readouterr()
    assert main(["plan", *SMALL, *arguments]) == 0
    _, _, rest = capsys.readouterr().out.partition("Arm ")
    lines = rest.splitlines()[1:]
    end = lines.index("")
    return [re.split(r"  +", line.strip()) for line in lines[:end]], "\n".join(lines[end:])


def added_up(rows: list[list[str]], summary: str) -> bool:
    """Whether the times of the arms, and those of the stages, add up to the time left."""
    (left,) = re.findall(r"time left: ([\d,]+) s", summary)
    stages = re.findall(r"^  (?:[a-z, ]+?)  +([\d,]+) s  ", summary, flags=re.MULTILINE)
    times = [[row[4] for row in rows], stages]
    return [sum(int(one.replace(",", "")) for one in of) for of in times] == 2 * [
        int(left.replace(",", ""))
    ]


def test_a_study_that_was_never_run_is_all_left_and_of_unknown_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, summary = planned(capsys, "study.seeds=2", f"output_dir={tmp_path}")
    assert [row[0] for row in rows] == [
        *("0.5", "0.3", "0.4", "0.45", "0.6", "global_f1", "per_label_f1")
    ]
    assert rows[0][2:] == ["0 of 2", "2", "unknown"]
    assert summary == Naming("0 of 14 done", "14 left")
    # Of each seed one set of captions to be encoded and one fit, whatever the threshold.
    assert summary == Naming("4 results")
    assert summary == Naming("assumed")
    assert summary == Naming("6 comparisons")
    assert summary == Naming("0 configurations", "0 studies")
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_time_left_is_estimated_by_the_speed_of_earlier_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"output_dir={tmp_path}"
    assert main([*SMALL, "study.seeds=1", place]) == 0
    rows, summary = planned(capsys, "study.seeds=2", place)
    # One fit for all thresholds of a seed, which the first arm needs.
    assert [tuple(row[2:4]) for row in rows] == [("1 of 2", "1"), *[("1 of 2", "0")] * 6]
    assert added_up(rows, summary)
    assert summary == Naming("7 of 14 done", "7 left")
    assert re.search(r"left: [1-9]\d* s\b", summary)
    # Of a single seed, which tells no variance; the thresholds are seven configurations.
    assert summary == Naming("assumed")
    assert summary == Naming("7 configurations", "1 study")
    rows, summary = planned(capsys, "study.seeds=1", place)
    assert {tuple(row[2:]) for row in rows} == {("1 of 1", "0", "0")}
    assert summary == Naming("7 of 7 done", "0 left", "0 s")


def test_a_study_that_stops_when_decided_has_at_most_so_many_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["study.until=decided", "study.max_seeds=4", f"output_dir={tmp_path}"]
    rows, summary = planned(capsys, *asked)
    assert {row[2] for row in rows} == {"0 of 4"}
    assert "runs: 0 of at most 28 done, 28 left" in summary
    assert "looks after 3, 4 seeds, 7 arms: from 21 to 28 runs" in summary
    # 5 % of six comparisons, at the first of two looks.
    assert "levels of p, 6 comparisons: 0.0023" in summary


def test_a_fit_that_is_stored_is_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"output_dir={tmp_path}"
    run = [line for line in SMALL if not line.startswith("study=")]
    assert main([*run, "seed=0", place]) == 0
    rows, summary = planned(capsys, "study.seeds=1", place)
    assert {tuple(row[2:4]) for row in rows} == {("0 of 1", "0")}
    assert added_up(rows, summary)


def test_without_the_cache_every_run_computes_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"output_dir={tmp_path}"
    run = [line for line in SMALL if not line.startswith("study=")]
    assert main([*run, "seed=0", place]) == 0
    rows, summary = planned(capsys, "study.seeds=1", place, "cache=off")
    assert {row[3] for row in rows} == {"1"}
    assert re.search(r"left: \d+ s\b.*cache=off", summary)


def test_nothing_is_shared_without_the_cache(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, summary = planned(capsys, "study.seeds=1", f"output_dir={tmp_path}", "cache=off")
    # Captions and a fit of each of the seven arms.
    assert summary == Naming("14 results")


def test_a_plan_makes_no_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = f"output_dir={tmp_path}"
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "another", tmp_path)
    _, summary = planned(capsys, "study.seeds=1", place, "tracking.experiment=fresh")
    assert "0 of 7 done" in summary
    assert {
        search_experiment.name for search_experiment in tracker.client.search_experiments()
    } == {"Default", "another"}


@pytest.mark.slow
def test_variances_are_those_of_an_earlier_study_on_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"output_dir={tmp_path}"
    assert main([*SMALL, "study.seeds=2", place]) == 0
    _, summary = planned(capsys, "study.seeds=5", place)
    assert "from 7 arms and 2 seeds of the study threshold" in summary
    outlook = summary.partition("\n\n")[2]
    assert max(map(len, outlook.splitlines())) <= 80


def test_a_name_alone_is_that_of_a_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "threshold", *SMALL[1:], "study.seeds=1", f"output_dir={tmp_path}"]) == 0
    assert capsys.readouterr().out.startswith("threshold: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vision=none"], Naming("study=NAME")),
        (["losss"], Naming("'loss'")),
        (["study=losss"], Naming("'losss'", "'loss'")),
        (["study=loss", "loss=focal"], Naming("study=loss", "loss")),
    ],
)
def test_bad_input_exits_2(
    arguments: list[str], words: Naming, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *arguments, f"output_dir={tmp_path}"]) == 2
    assert capsys.readouterr().err == words
