"""Small studies from the command line, and the runs that they leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies import run

SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=80", "data.test=30", "trainer.epochs=2"),
)
HEAD = """\
# @package _global_
defaults:
  - override /hydra/sweeper: study
"""

LOSSES = (
    "study:\n  question: Which loss?\n  design: grid\n"
    "  factors: {loss: [bce, focal]}\n  seeds: [3]\n"
)


def without_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the tables, page and figures at a study's end, which cost more than its runs."""

    def made(_tracker: Tracker, _result: object, folder: Path, **_: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(run, "publish", made)


def own_study(folder: Path, text: str, head: str = HEAD) -> Path:
    path = folder / "conf" / "study" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(head + text)
    return folder / "conf"


def losses(folder: Path) -> list[str]:
    """The command of a study of two losses with the seed 3."""
    conf = own_study(folder, LOSSES)
    return ["--config-dir", str(conf), "study=mine", *SMALL, f"output_dir={folder}"]


def tracker(folder: Path) -> Tracker:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


def parent_of(folder: Path) -> TrackedRun:
    (parent,) = [run for run in tracker(folder).runs() if run.parent is None]
    return parent


def children(folder: Path) -> list[TrackedRun]:
    return tracker(folder).children(parent_of(folder).id)


def places(runs: list[TrackedRun], status: str = "FINISHED") -> list[tuple[str, str]]:
    return sorted(
        (run.tags["mmclf.arm"], run.tags["mmclf.seed"]) for run in runs if run.status == status
    )
