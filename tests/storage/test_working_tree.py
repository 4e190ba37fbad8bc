"""The patch of what is not committed: whole, bounded, and run by nobody's settings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mmclf.storage import working_tree
from mmclf.storage.working_tree import uncommitted


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "below").mkdir(parents=True)
    (folder / "a.txt").write_text("one\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        git(folder, *words)
    return folder


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


def test_changes_and_new_files_are_in_it_from_any_folder_of_the_repository(
    repository: Path,
) -> None:
    assert uncommitted(repository) == ""
    (repository / "a.txt").write_text("two\n")
    (repository / "new.txt").write_text("secret\n")
    for folder in (repository, repository / "below"):
        patch = uncommitted(folder)
        assert patch is not None
        assert "\n-one\n+two\n" in patch
        assert "new.txt\n" in patch
        assert "secret" not in patch


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    assert uncommitted(tmp_path) is None


def test_a_large_one_is_counted_in_lines(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_tree, "MOST_BYTES", 1000)
    (repository / "a.txt").write_text("x\n" * 1000)
    patch = uncommitted(repository)
    assert patch is not None
    assert len(patch) < 1000
    assert "1000\t1\ta.txt\n" in patch


def test_programs_that_a_repository_names_are_not_run(repository: Path, tmp_path: Path) -> None:
    sentinel = tmp_path / "run"
    program = f"touch {sentinel}; cat"
    for key in ("diff.external", "core.fsmonitor", "diff.own.textconv", "core.pager"):
        git(repository, "config", key, program)
    (repository / ".gitattributes").write_text("*.txt diff=own\n")
    (repository / "a.txt").write_text("two\n")
    patch = uncommitted(repository)
    assert patch is not None
    assert "+two" in patch
    assert not sentinel.exists()
