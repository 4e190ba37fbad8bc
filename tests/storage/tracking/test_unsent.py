"""Lines and files of what was not sent: what is logged comes back, and nothing else is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmclf.cli.main import main
from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.logged import (
    Artifacts,
    End,
    Logged,
    Metrics,
    Params,
    Tags,
    from_json,
    to_json,
)
from mmclf.storage.tracking.unsent import read_unsent

LOGGED: list[Logged] = [
    Params([("a", "1")]),
    Tags([("mmclf.x", "é\n")]),
    Metrics([("val/loss", float("nan"), 5, 1), ("val/f1", 0.5, 5, 1)]),
    Artifacts("0"),
    End("KILLED", 7),
]


@pytest.mark.parametrize("one", LOGGED)
def test_what_is_logged_comes_back_from_a_line(one: Logged) -> None:
    line = to_json(one)
    assert "\n" not in line
    assert repr(from_json(line)) == repr(one)


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", '{"tags": 1}', "[" * 10**5, '{"x": []}'])
def test_a_line_that_nothing_logs_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(line)


@pytest.mark.parametrize(
    "line",
    ['{"folder": "../../outside"}', '{"folder": "/etc"}', '{"folder": "none"}', "{}", "\x00"],
)
@pytest.mark.hostile("runs of others")
def test_a_foreign_file_of_what_was_not_sent_is_refused(
    tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    log = tracker.start("a", {}, None)
    (tmp_path / "unsent" / log.id).mkdir(parents=True)
    (tmp_path / "unsent" / f"{log.id}.jsonl").write_text(f"{line}\n")
    assert main(["runs", "--send", log.id, f"output_dir={tmp_path}"]) == 2
    assert ".jsonl, line 1: found what no run logs" in capsys.readouterr().err
    for name in ("../x", "..", "a/b"):
        with pytest.raises(InputError, match="there is no"):
            read_unsent(tmp_path / "unsent", name)


@pytest.mark.hostile("runs of others")
def test_links_among_artifacts_that_wait_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "unsent"
    (folder / "run" / "0").mkdir(parents=True)
    (folder / "run" / "0" / "linked").symlink_to("/etc/passwd")
    (folder / "run.jsonl").write_text('{"folder": "0"}\n')
    with pytest.raises(InputError, match="holds links"):
        read_unsent(folder, "run")


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text('{"tags": [["a", "b"]]}\n{"tags": [["c", "')
    assert read_unsent(tmp_path, "run") == [Tags([("a", "b")])]
