"""An encoder as it is described in a run's artifacts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from torch import nn

from mmclf.models.description import EncoderDescription
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.tfidf import Tfidf
from mmclf.models.weights import module_sha256


def describe_encoder(encoder: Any, *, trained: bool = False) -> EncoderDescription:
    """Describe an encoder.

    The values include the digest of a frozen network's tensors. The files hold TF-IDF's state, or
    the tokenizer of a Hugging Face encoder that was trained or has random weights.
    """
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
        files = tokenizer_files(encoder.tokenizer)
    if isinstance(encoder, HuggingFaceEncoder):
        values["settings"] = {"pooling": encoder.pooling}
    if not trained:
        values["sha256"] = module_sha256(encoder)
    return EncoderDescription(values, files)


def tokenizer_files(tokenizer: Any) -> dict[str, bytes]:
    """The contents of a tokenizer's files, by name below `tokenizer/`."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        files = [file for file in Path(folder).rglob("*") if file.is_file()]
        return {
            f"tokenizer/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files
        }
