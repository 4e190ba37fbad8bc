"""What is not committed in the user's own working tree, as a patch."""

from __future__ import annotations

import subprocess
from pathlib import Path

MOST_BYTES = 1_000_000
TIMEOUT_S = 10
# A repository's own settings could otherwise run programs of its choice.
_PLAIN = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    "--no-optional-locks",
)
_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short")


def uncommitted(folder: Path) -> str | None:
    """The changes to tracked files of the repository that `folder` is in, since its last commit.

    None outside a repository or without git. Of more than `MOST_BYTES`, the files that changed with
    the number of lines, instead of the lines themselves. Files that git does not know are named.
    """
    patch = _git(folder, *_DIFF, "HEAD", "--", ":/")
    if patch is None:
        return None
    if len(patch) > MOST_BYTES:
        counts = _git(folder, *_DIFF, "--numstat", "HEAD", "--", ":/") or b""
        head = f"# {len(patch)} bytes of changes, more than {MOST_BYTES}: lines added and removed\n"
        patch = head.encode() + counts[:MOST_BYTES]
    unknown = _git(folder, "ls-files", "--others", "--exclude-standard", "--", ":/") or b""
    names = [f"# not in git: {name}" for name in _text(unknown).splitlines()[:1000]]
    return "".join([_text(patch), *(f"{name}\n" for name in names)])


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603  # of words that stand here
            ["git", *_PLAIN, *arguments],  # noqa: S607
            cwd=folder,
            capture_output=True,
            check=True,
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
