"""Tokenizers: their padding token, and ids that a model has no embedding for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from mmclf.errors import InputError
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.tokenizer import check_vocabulary, prepare_padding, read_tokenizer
from mmclf.models.wordpiece import train_wordpiece

CAPTIONS = ["a cat", "two dogs"]


class Embeds(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, 2)

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding


def test_a_tokenizer_as_large_as_the_embedding_fits_and_a_larger_one_is_refused() -> None:
    tokenizer = train_wordpiece(CAPTIONS)
    count = len(tokenizer)
    check_vocabulary(tokenizer, Embeds(count + 1))
    check_vocabulary(tokenizer, Embeds(count))
    with pytest.raises(InputError) as caught:
        check_vocabulary(tokenizer, Embeds(count - 1))
    (message,) = caught.value.problems
    assert f" {count} " in message
    assert f" {count - 1}:" in message


def test_a_folder_with_the_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    architecture = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1}
    architecture |= {"num_attention_heads": 2, "intermediate_size": 8}
    small = HuggingFaceEncoder(
        "x", "random", architecture=architecture, train_captions=CAPTIONS[:1]
    )
    small.model.save_pretrained(tmp_path)
    train_wordpiece(CAPTIONS).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="ids up to"):
        HuggingFaceEncoder("x", str(tmp_path))


@pytest.mark.parametrize("choice", ["sep_token", "unk_token"])
def test_padding_stands_on_the_right_by_a_token_that_is_there(choice: str) -> None:
    tokenizer = train_wordpiece(CAPTIONS)
    tokenizer.padding_side, tokenizer.pad_token = "left", None
    for other in {"sep_token", "unk_token", "cls_token", "eos_token"} - {choice}:
        setattr(tokenizer, other, None)
    prepare_padding(tokenizer)
    assert tokenizer.padding_side == "right"
    assert tokenizer.pad_token == getattr(tokenizer, choice)


def test_a_padding_token_of_its_own_is_kept() -> None:
    tokenizer = train_wordpiece(CAPTIONS)
    prepare_padding(tokenizer)
    assert tokenizer.pad_token == "[PAD]"


def test_a_tokenizer_that_has_no_token_for_it_is_refused() -> None:
    tokenizer: Any = train_wordpiece(CAPTIONS)
    for name in ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"):
        setattr(tokenizer, name, None)
    with pytest.raises(InputError, match="padding token"):
        prepare_padding(tokenizer)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path} holds no tokenizer"):
        read_tokenizer(tmp_path)
