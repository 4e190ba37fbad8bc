"""`mmclf cache`: the store is listed, verified, pruned; a wrong request removes nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from message_facts import Naming

import mmclf
from mmclf.cli.main import main
from mmclf.storage.store.entry import RECORD

STAGES = {"split", "text", "fit", "decide", "figure", "cost"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run on captions."""
    folder = tmp_path_factory.mktemp("made")
    overrides = ["data.train=60", "data.test=20", "trainer.epochs=1", "head.hidden=4"]
    mmclf.run(mmclf.compose([*overrides, f"output_dir={folder}"]))
    return folder


@pytest.fixture
def outputs(made: Path, tmp_path: Path) -> Path:
    """A copy of its store, which a test may change."""
    for path in (made / "store").rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            target = tmp_path / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path


def entries(outputs: Path) -> list[Path]:
    return sorted(path.parent for path in (outputs / "store").glob(f"*/*/{RECORD}"))


def cache(outputs: Path, *arguments: str) -> int:
    return main(["cache", *arguments, f"output_dir={outputs}"])


def test_off_a_terminal_the_entries_are_lines_of_columns(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cache(outputs) == 0
    header, *rows, total = capsys.readouterr().out.splitlines()
    assert header.split("\t")[:3] == ["stage", "key", "size"]
    assert {row.split("\t")[0] for row in rows} == STAGES
    assert len(rows) == len(entries(outputs))
    assert total.startswith(f"{len(rows)} results, ")
    keys = {row.split("\t")[1] for row in rows}
    assert keys == {entry.name[:12] for entry in entries(outputs)}


def test_a_sound_store_is_verified(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = entries(outputs)
    assert cache(outputs, "--verify") == 0
    assert capsys.readouterr().out == Naming("0 damaged", "0 files changed")
    assert entries(outputs) == before


def test_what_is_damaged_is_named_and_removed(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = next(entry for entry in entries(outputs) if entry.parent.name == "fit")
    file = fit / "test.npy"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    others = [entry for entry in entries(outputs) if entry != fit]
    assert cache(outputs, "--verify") == 1
    assert str(file) in capsys.readouterr().out
    assert entries(outputs) == others
    assert cache(outputs, "--verify") == 0


@pytest.mark.parametrize(
    ("limits", "is_left"),
    [(["1h"], True), (["30m"], False), (["1GB"], True), (["0MB"], False), (["1h", "0MB"], False)],
    ids=["young", "old", "fits", "too large", "too large, young"],
)
def test_pruning_keeps_what_the_limits_admit(
    outputs: Path, limits: list[str], is_left: bool
) -> None:
    used = time.time() - 45 * 60
    for entry in entries(outputs):
        os.utime(entry / RECORD, (used, used))
    count = len(entries(outputs))
    assert cache(outputs, "--prune", *limits) == 0
    assert len(entries(outputs)) == (count if is_left else 0)


def test_without_prune_nothing_is_removed(outputs: Path) -> None:
    before = entries(outputs)
    cache(outputs)
    assert entries(outputs) == before


@pytest.mark.parametrize(
    "arguments",
    [["--prune", "30"], ["--prune", "30y"], ["--prune", "-1d"], ["--prune", "GB"], ["whatever"]],
    ids=" ".join,
)
def test_what_is_asked_for_wrongly_removes_nothing(outputs: Path, arguments: list[str]) -> None:
    before = entries(outputs)
    try:
        status = cache(outputs, *arguments)
    except SystemExit as stopped:  # of argparse, for what looks like an option
        status = int(str(stopped.code))
    assert status == 2
    assert entries(outputs) == before


def test_a_limit_left_out_is_refused(outputs: Path) -> None:
    before = entries(outputs)
    assert main(["cache", "--prune", f"output_dir={outputs}"]) == 2
    assert entries(outputs) == before


def test_where_there_is_no_store_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cache(tmp_path / "nowhere") == 2
    assert str(tmp_path / "nowhere") in capsys.readouterr().err
