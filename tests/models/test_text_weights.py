"""Weights of a text encoder that do not fit, or cannot be read, are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertModel

from mmclf.errors import InputError
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.weights import module_sha256
from mmclf.models.wordpiece import train_wordpiece

State = dict[str, Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small BERT with its tokenizer, as save_pretrained writes them."""
    tokenizer = train_wordpiece(["a cat"])
    tokenizer.save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
    )
    BertModel(config).save_pretrained(tmp_path)
    return tmp_path


def rewritten(folder: Path, change: Callable[[State], State]) -> str:
    path = folder / "model.safetensors"
    save_file(change(dict(load_file(path))), path, {"format": "pt"})
    return str(folder)


def test_weights_that_fit(folder: Path) -> None:
    encoder = HuggingFaceEncoder("x", str(folder)).eval()
    stored = load_file(folder / "model.safetensors")
    assert torch.equal(
        encoder.model.embeddings.word_embeddings.weight,
        stored["embeddings.word_embeddings.weight"],
    )
    assert encoder(encoder.tokenize(["a cat"])).shape == (1, 8)


def test_a_pooler_may_be_missing_and_a_head_too_many(folder: Path) -> None:
    where = rewritten(
        folder,
        lambda state: (
            {k: v for k, v in state.items() if not k.startswith("pooler.")}
            | {"cls.predictions.bias": torch.zeros(7)}
        ),
    )
    before = torch.get_rng_state()
    one, again = HuggingFaceEncoder("x", where), HuggingFaceEncoder("x", where)
    assert module_sha256(one) == module_sha256(again)
    assert torch.equal(torch.get_rng_state(), before)


def without_queries(state: State) -> State:
    return {name: value for name, value in state.items() if "query" not in name}


def wider(state: State) -> State:
    name = "embeddings.LayerNorm.weight"
    return state | {name: torch.ones(9)}


def deeper(state: State) -> State:
    prefix = "encoder.layer.1."
    return state | {
        name.replace(prefix, "bert.encoder.layer.2."): value.clone()
        for name, value in state.items()
        if name.startswith(prefix)
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            without_queries,
            r"missing: encoder\.layer\.0\.attention\.self\.query\.bias, .* and 1 more",
        ),
        (lambda _: {"a": torch.zeros(1)}, r"missing: embeddings\.LayerNorm\.bias, .* more"),
        (wider, r"shapes: embeddings\.LayerNorm\.weight \(9,\) instead of \(8,\)"),
        (deeper, r"too many: (bert\.)?encoder\.layer\.2\..* and 13 more"),
    ],
    ids=["some", "all", "shape", "layer"],
)
def test_weights_that_do_not_fit_name_the_first_tensors(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    change: Callable[[State], State],
    message: str,
) -> None:
    with pytest.raises(InputError, match=rf"config\.json: {message}"):
        HuggingFaceEncoder("x", rewritten(folder, change))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"no weights", b"\xff" * 64])
def test_a_damaged_file_is_no_model(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=f"{folder} is no model"):
        HuggingFaceEncoder("x", str(folder))


def test_shapes_are_refused_where_transformers_tells_names_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": ["encoder.weight"]}
    monkeypatch.setattr(
        "mmclf.models.text_weights.AutoModel.from_pretrained",
        lambda *_, **__: (BertModel(BertConfig.from_pretrained(folder)), message),
    )
    with pytest.raises(InputError, match=r"shapes: encoder\.weight "):
        HuggingFaceEncoder("x", str(folder))
