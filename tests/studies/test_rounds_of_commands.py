"""A study that stops when decided, from the command line: its rounds, its record, its report."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from small_studies import SMALL, children, own_study, parent_of, tracker, without_its_page

from mmclf.cli.main import main
from mmclf.studies.looks import Looks, fetch_looks
from mmclf.studies.pending import finished

pytestmark = pytest.mark.slow
no_page = pytest.fixture(without_its_page)

# At 0.95 nearly nothing is predicted, which is seen at once; 0.5 and 0.45 are near each other.
THRESHOLDS = (
    "study:\n  question: Which threshold?\n  design: grid\n"
    "  factors: {threshold.value: [0.5, 0.51, 0.99]}\n"
    "  until: decided\n  seeds: 1\n  max_seeds: 5\n  margin: 0.02\n"
)

LOSSES = (
    "study:\n  question: Which loss?\n  design: grid\n  factors: {loss: [bce, own]}\n"
    "  until: decided\n  max_seeds: 4\n"
)
OWN_LOSS = """\
import builtins
from pathlib import Path

from torch import nn


class Own(nn.BCEWithLogitsLoss):
    def __init__(self) -> None:
        super().__init__()
        if Path("FILE").exists():
            raise getattr(builtins, Path("FILE").read_text())("stopped")
"""


def command(folder: Path) -> list[str]:
    conf = folder / "conf"
    if not conf.is_dir():
        own_study(folder, THRESHOLDS)
    return ["--config-dir", str(conf), "study=mine", *SMALL, f"output_dir={folder}"]


def looks(folder: Path) -> Looks:
    found = fetch_looks(tracker(folder), parent_of(folder))
    assert found is not None
    return found


def done(folder: Path) -> set[tuple[str, int]]:
    return finished(children(folder))


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a study that has stopped."""
    folder = tmp_path_factory.mktemp("decided")
    assert main(command(folder)) == 0
    return folder


def test_each_arm_has_as_many_runs_as_it_was_given(decided: Path) -> None:
    found = looks(decided)
    assert done(decided) == {(arm, s) for arm, seeds in found.given.items() for s in range(seeds)}
    assert found.call("0.99") == "worse"
    assert found.given["0.99"] < 5 or found.last_look("0.99") == 5
    # The baseline goes on while any arm does.
    assert found.given["0.5"] == max(found.given.values())
    assert {found.next_look(effect) for effect in ("0.51", "0.99")} == {None}


def test_the_plan_and_the_looks_are_kept_with_the_parent(decided: Path) -> None:
    artifacts = decided / "artifacts" / parent_of(decided).id / "artifacts"
    plan = json.loads((artifacts / "study.json").read_text())["plan"]
    assert plan["seeds"] == [3, 5]
    assert len(plan["levels"]) == len(plan["equality_levels"]) == 2
    kept = json.loads((artifacts / "looks.json").read_text())
    assert [look["seeds"] for look in kept["looks"]] == [
        look.seeds for look in looks(decided).looks
    ]
    judged = {of["effect"]: of for look in kept["looks"] for of in look["judged"]}
    assert judged["0.99"]["call"] == "worse"


def test_jobs_of_later_rounds_have_folders_of_their_own(decided: Path) -> None:
    (sweep,) = (decided / "sweeps").iterdir()
    assert len(list(sweep.iterdir())) == len(done(decided))


def test_the_report_has_the_calls_and_why_an_arm_stopped(decided: Path) -> None:
    with (decided / "studies" / "mine" / "results.csv").open() as stream:
        rows = {row["Arm"]: row for row in csv.DictReader(stream)}
    found = looks(decided)
    assert rows["0.99"]["Verdict"] == "worse"
    look = found.plan.looks.index(found.last_look("0.99")) + 1
    assert rows["0.99"]["Stopped"].startswith(f"decided at look {look}")
    assert {arm: int(row["n"]) for arm, row in rows.items()} == found.given
    low, high = (float(rows["0.99"][f"Diff. {end}"]) for end in ("low", "high"))
    assert low < float(rows["0.99"]["Difference"]) < high < 0
    page = (decided / "studies" / "mine" / "index.html").read_text(encoding="utf-8")
    assert "after stopping" in page
    words = re.sub(r"data:[^\"]*", "", page).lower()  # pictures may spell anything
    assert "nan" not in words.replace("nano", "")


@pytest.mark.usefixtures("no_page")
def test_the_same_command_runs_nothing_and_says_the_same(
    decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, runs = looks(decided), {run.id for run in children(decided)}
    assert main(command(decided)) == 0
    assert looks(decided).looks == before.looks
    assert {run.id for run in children(decided)} == runs
    total = sum(before.given.values())
    assert f"runs: {total} of {total} finished" in capsys.readouterr().out


def test_a_plan_knows_what_has_stopped(decided: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *command(decided)]) == 0
    said = capsys.readouterr().out
    total = sum(looks(decided).given.values())
    assert f"runs: {total} of at most {total} done, 0 left" in said
    assert "looks after 3, 5 seeds" in said


def command_of_own_loss(folder: Path, module: str) -> list[str]:
    """A study of bce and a loss that raises what a file `raise` in `folder` names."""
    conf = own_study(folder, LOSSES)
    (conf / f"{module}.py").write_text(OWN_LOSS.replace("FILE", str(folder / "raise")))
    (conf / "loss").mkdir()
    (conf / "loss" / "own.yaml").write_text(f"_target_: {module}.Own\n")
    place = [f"output_dir={folder}", f"allow_targets=[{module}]"]
    return ["--config-dir", str(conf), "study=mine", *SMALL, *place]


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize(("error", "status"), [("KeyboardInterrupt", 130), ("RuntimeError", 1)])
def test_a_study_that_is_stopped_in_a_round_is_gone_on_with(
    tmp_path: Path, error: str, status: int
) -> None:
    asked = command_of_own_loss(tmp_path, f"own_{error.lower()}")
    (tmp_path / "raise").write_text(error)
    assert main(asked) == status
    assert looks(tmp_path).looks == ()
    # Of the other arm, what there was of the round until then.
    before = {run.id for run in children(tmp_path) if run.status == "FINISHED"}
    assert {arm for arm, _ in done(tmp_path)} == {"bce"}
    (tmp_path / "raise").unlink()
    assert main(asked) == 0
    found = looks(tmp_path)
    # Both losses are one and the same.
    assert [(look.seeds, found.call("own")) for look in found.looks] == [(3, "equal")]
    assert found.given == {"bce": 3, "own": 3}
    assert before < {run.id for run in children(tmp_path) if run.status == "FINISHED"}


@pytest.mark.usefixtures("no_page")
def test_more_seeds_without_a_plan_are_exploratory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = command(tmp_path)
    assert main([*asked, "study.max_seeds=3"]) == 0
    capsys.readouterr()
    assert main([*asked, "study.until=fixed", "study.seeds=4"]) == 0
    assert "exploratory" in capsys.readouterr().out
    assert {seed for _, seed in done(tmp_path)} == {0, 1, 2, 3}
    assert main([*asked, "study.max_seeds=4"]) == 0
    found = looks(tmp_path)
    assert [earlier.plan.looks for earlier in found.earlier] == [(3,)]
    assert "max_seeds 3 to 4" in capsys.readouterr().out
