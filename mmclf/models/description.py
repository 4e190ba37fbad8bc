"""The description of an encoder in a run's artifacts, with the files needed to rebuild it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmclf.storage.store.entry import Entry
from mmclf.storage.store.inner_files import is_inner_name

FOLDER, VALUES_FILE = "encoder", "encoder.json"


@dataclass(frozen=True)
class EncoderDescription:
    """The description of an encoder.

    Args:
        values: its class, width, number of parameters and the like; as `settings`, what those that
            say `auto` came to.
        files: contents by name, as of a tokenizer or of TF-IDF's state.

    """

    values: Mapping[str, Any]
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> None:
        """Write the description to `folder`, which may hold other files."""
        (folder / VALUES_FILE).write_text(json.dumps(dict(self.values), indent=1), encoding="utf-8")
        write_files(folder / FOLDER, self.files)

    @staticmethod
    def read(entry: Entry) -> EncoderDescription:
        """Read a description from an entry; raises DamagedError as `Entry.path` does."""
        return EncoderDescription(json.loads(entry.read(VALUES_FILE)), read_files(entry, FOLDER))


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files with these contents below `folder`; raises ValueError for a name outside it."""
    for name, data in files.items():
        if not is_inner_name(name):
            raise ValueError(f"found the file name {name!r}, expected one inside {folder}")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read_files(entry: Entry, folder: str) -> dict[str, bytes]:
    """The contents of an entry's files below `folder`, by their names in it."""
    names = [name for name in entry.files if name.startswith(f"{folder}/")]
    return {name.removeprefix(f"{folder}/"): entry.read(name) for name in names}


def describe_encoder(encoder: Any, *, trained: bool = False) -> EncoderDescription:
    """Describe an encoder.

    The values include the digest of a frozen network's tensors. The files hold TF-IDF's state, or
    the tokenizer of a Hugging Face encoder that was trained or has random weights.
    """
    from torch import nn

    from mmclf.models.text import HuggingFaceEncoder
    from mmclf.models.tfidf import Tfidf
    from mmclf.models.weights import module_sha256

    values: dict[str, Any] = {
        "class": type(encoder).__name__,
        "out_dim": encoder.out_dim,
        "parameters": 0,
    }
    if isinstance(encoder, Tfidf):
        return EncoderDescription(values, encoder.state_files())
    if not isinstance(encoder, nn.Module):
        return EncoderDescription(values, {})
    values["parameters"] = sum(p.numel() for p in encoder.parameters())
    files: dict[str, bytes] = {}
    if isinstance(encoder, HuggingFaceEncoder) and (trained or encoder.has_random_weights):
        values["architecture"] = encoder.architecture()
        files = _tokenizer_files(encoder.tokenizer)
    if isinstance(encoder, HuggingFaceEncoder):
        values["settings"] = {"pooling": encoder.pooling}
    if not trained:
        values["sha256"] = module_sha256(encoder)
    return EncoderDescription(values, files)


def _tokenizer_files(tokenizer: Any) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        files = [file for file in Path(folder).rglob("*") if file.is_file()]
        return {
            f"tokenizer/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files
        }
