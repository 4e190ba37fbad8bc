"""Fuzzes one target under coverage: `python tests/fuzz_one.py TARGET FOLDER [LIBFUZZER'S OPTIONS]`.

What the target raises ends the process with another status than 0, with the bytes as a file
`crash-*` in FOLDER; so does an input that takes longer, or more memory, than the options say.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import NoReturn

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / part) for part in ("", "config", "pipeline/predict")]

with atheris.instrument_imports(include=["mmclf"]):
    from fuzz_targets import TARGETS


def refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("the network was asked")


def main(name: str, folder: Path, options: list[str]) -> None:
    """Fuzz the target; does not return."""
    socket.socket.connect = refuse  # type: ignore[method-assign]
    target_folder = folder / "files"
    target_folder.mkdir()
    target = TARGETS[name](target_folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        target.one(seed)
        (corpus / str(number)).write_bytes(seed)
    words = [word.encode() for word in target.words if word]
    escaped = ["".join(f"\\x{byte:02x}" for byte in word) for word in words if len(word) <= 64]
    (folder / "words").write_text("".join(f'"{word}"\n' for word in escaped))
    known = [f"-dict={folder}/words"] if escaped else []
    given = [*known, f"-artifact_prefix={folder}/", *options, str(corpus)]
    atheris.Setup([sys.argv[0], *given], target.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
