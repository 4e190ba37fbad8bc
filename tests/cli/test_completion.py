"""What the Tab key completes, and that bash asks for it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from mmclf.cli.completion import COMMANDS, OPTIONS, candidates
from mmclf.cli.main import SUBCOMMANDS, main
from mmclf.config.composer import Composer, open_composer

ROOT = Path(__file__).parents[2]


@functools.cache
def composer() -> Composer:
    return ExitStack().enter_context(open_composer([]))


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("mmclf rep", ["report"], ["reports", "plan"]),
        ("mmclf ", ["report", "plan", "vision=", "trainer."], ["hydra."]),
        ("mmclf plan fus", ["fusion"], ["vision"]),
        ("mmclf plan study=fus", ["study=fusion"], []),
        ("mmclf vision=efficientnet_l", ["vision=efficientnet_lite0"], ["vision=none"]),
        ("mmclf -m loss=bce,fo", ["loss=bce,focal"], ["loss=focal"]),
        ("mmclf loss=focal loss.", ["loss.gamma="], []),
        ("mmclf trainer.ep", ["trainer.epochs="], []),
        ("mmclf show text t", ["t5", "tfidf"], ["trainer."]),
        ("mmclf show vis", ["vision"], ["vision="]),
        ("mmclf data ", ["init"], ["vision="]),
        ("mmclf report --fo", ["--format"], []),
        ("mmclf report --format ", ["md", "tex"], ["loss"]),
        ("mmclf --c", ["--cfg", "--config-dir"], []),
        ("mmclf predict --out ", [], ["vision="]),
        ("mmclf report --unknown x trainer.ep", ["trainer.epochs="], []),
        ("mmclf nonsense=(( trainer.ep", [], []),
    ],
)
def test_a_line_is_completed(line: str, some: list[str], none: list[str]) -> None:
    words = candidates(composer(), line)
    assert set(some) <= set(words)
    assert not set(none) & set(words)
    word = line.rpartition(" ")[2]
    assert all(one.startswith(word) for one in words)


def test_every_command_is_known() -> None:
    assert set(COMMANDS) == set(SUBCOMMANDS)


@pytest.mark.parametrize("command", sorted(SUBCOMMANDS))
def test_the_options_are_those_of_the_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    words = capsys.readouterr().out.replace("[", " ").replace("]", " ").split()
    assert {word.rstrip(",") for word in words if word.startswith("--")} >= set(OPTIONS[command])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Where a shell finds the program."""
    program = tmp_path / "mmclf"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mmclf "$@"\n')
    program.chmod(0o755)
    return os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_bash_completes_by_it(environment: dict[str, str]) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = """
eval "$(mmclf -sc install=bash | sed 's/ python *$/ mmclf/')"
COMP_LINE='mmclf plan fus' COMP_POINT=14 COMP_CWORD=2 COMP_WORDS=(mmclf plan fus)
hydra_bash_completion
echo "found: ${COMPREPLY[*]}"
"""
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split("found: ")[1].split()[0] == "fusion"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_by_it_when_tab_is_pressed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    setup, shown = tmp_path / "setup.zsh", tmp_path / "shown"
    setup.write_text(
        f"autoload -Uz compinit && compinit -u -d {tmp_path}/dump\n"
        "autoload -Uz bashcompinit && bashcompinit\n"
        "eval \"$(mmclf -sc install=bash | sed 's/ python *$/ mmclf/')\"\n"
        f"show() {{ print -r -- $BUFFER > {shown}; zle kill-whole-line }}\n"
        "zle -N show && bindkey '^P' show\n"
        f"touch {shown}\n"
    )
    # A second shell on a terminal of its own, in which the keys are pressed.
    script = f"""
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell 'source {setup}'
until [[ -e {shown} ]]; do sleep 0.1; done
for line in 'mmclf plan fus' 'mmclf loss=bce,fo'; do
  zpty -w -n shell "$line"$'\\t\\x10'
  until [[ -s {shown} ]]; do sleep 0.1; done
  cat {shown}; : > {shown}
done
zpty -d shell
"""
    done = subprocess.run(
        [str(shutil.which("zsh")), "-f", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    assert done.stdout.splitlines() == ["mmclf plan fusion", "mmclf loss=bce,focal"]
