"""Source trees: a checkout as it lies there, or a commit's files in a temporary folder."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def find(given: str, work: Path) -> tuple[Path, str]:
    """The folder of a tree that is given as a path or a commit, and what it is called.

    A commit's files are put into `work`. Raises SystemExit if it is neither.
    """
    path = Path(given).resolve()
    if (path / "mmclf" / "__main__.py").is_file():
        return path, _commit_of(path)
    commit = _git(HERE, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}")
    if commit is None:
        raise SystemExit(f"{given} is neither a checkout of mmclf nor a commit of this repository")
    archive, tree = work / f"{commit}.tar", work / commit
    top = _git(HERE, "rev-parse", "--show-toplevel")
    assert top is not None
    if _git(Path(top), "archive", "--format=tar", f"--output={archive}", commit) is None:
        raise SystemExit(f"the files of {commit} cannot be had: git archive failed")
    with tarfile.open(archive) as files:
        files.extractall(tree, filter="data")
    archive.unlink()
    return tree, commit[:12]


def _commit_of(tree: Path) -> str:
    commit = _git(tree, "rev-parse", "--short=12", "HEAD")
    if commit is None:
        return tree.name
    is_clean = _git(tree, "status", "--porcelain") == ""
    return commit if is_clean else f"{commit}-dirty"


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, None if it fails."""
    ended = subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout.strip() if ended.returncode == 0 else None
