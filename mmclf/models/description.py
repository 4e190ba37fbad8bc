"""What a run's artifacts say of an encoder, and the files that it takes to build it again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmclf.storage.store.entry import Entry

FOLDER, ABOUT = "encoder", "encoder.json"


@dataclass(frozen=True)
class Description:
    """`about`: plain values; `files`: contents by name, as of a tokenizer or TF-IDF's state."""

    about: Mapping[str, Any]
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> None:
        """Write it to `folder`, beside what is there."""
        (folder / ABOUT).write_text(json.dumps(dict(self.about), indent=1), encoding="utf-8")
        write_files(folder / FOLDER, self.files)

    @staticmethod
    def read(entry: Entry) -> Description:
        """Read it back; raises DamagedError as `Entry.path` does."""
        return Description(json.loads(entry.read(ABOUT)), read_files(entry, FOLDER))


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files with these contents below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read_files(entry: Entry, folder: str) -> dict[str, bytes]:
    """The contents of an entry's files below its `folder`, by their names in it."""
    names = [name for name in entry.files if name.startswith(f"{folder}/")]
    return {name.removeprefix(f"{folder}/"): entry.read(name) for name in names}


def describe_encoder(encoder: Any, *, trained: bool = False) -> Description:
    """What an encoder is; of a frozen network the sum of its tensors, of a trained one none.

    TF-IDF's state is among the files; so is the tokenizer of a text encoder of Hugging Face that
    was trained, or has random weights: it is found nowhere else.
    """
    from torch import nn

    from mmclf.models.text import HuggingFaceEncoder
    from mmclf.models.tfidf import Tfidf
    from mmclf.models.weights import module_sha256

    about: dict[str, Any] = {
        "class": type(encoder).__name__,
        "out_dim": encoder.out_dim,
        "parameters": 0,
    }
    if isinstance(encoder, Tfidf):
        return Description(about, encoder.state_files())
    if not isinstance(encoder, nn.Module):
        return Description(about, {})
    about["parameters"] = sum(p.numel() for p in encoder.parameters())
    files: dict[str, bytes] = {}
    if isinstance(encoder, HuggingFaceEncoder) and (trained or encoder.has_random_weights):
        about["architecture"] = encoder.architecture()
        files = _saved_tokenizer(encoder.tokenizer)
    if not trained:
        about["sha256"] = module_sha256(encoder)
    return Description(about, files)


def _saved_tokenizer(tokenizer: Any) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        files = [file for file in Path(folder).rglob("*") if file.is_file()]
        return {
            f"tokenizer/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files
        }
