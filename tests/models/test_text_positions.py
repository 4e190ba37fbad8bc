"""How many tokens a text model has positions for, on both sides of the limit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.text_weights import position_limit

CAPTIONS = ["a cat", "two dogs"]
WIDE = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
WIDE |= {"num_attention_heads": 2}
LIMITED = {
    "bert": 20,
    "distilbert": 20,
    "clip_text_model": 20,
    "siglip_text_model": 20,
    "gpt2": 20,
    "roberta": 19,  # it counts from behind the padding token's number, which is 0 here
    "mpnet": 18,  # and here it is 1
    "deberta": 20,
}


def encoder(model_type: str, max_length: int, **settings: Any) -> HuggingFaceEncoder:
    architecture = {"model_type": model_type, **WIDE, "max_position_embeddings": 20} | settings
    return HuggingFaceEncoder(
        "x",
        "random",
        max_length=max_length,
        architecture=architecture,
        train_captions=CAPTIONS,
    ).eval()


@pytest.mark.parametrize(("model_type", "limit"), LIMITED.items())
def test_the_longest_caption_is_read_and_a_longer_one_refused(model_type: str, limit: int) -> None:
    longest = encoder(model_type, limit)
    assert position_limit(longest.model) == limit
    with torch.inference_mode():
        tokens = longest.tokenize(["cat " * 40])
        assert tokens["attention_mask"].sum() == limit
        assert longest(tokens).isfinite().all()
    with pytest.raises(InputError, match=r"text\.max_length: found ") as caught:
        encoder(model_type, limit + 1)
    (message,) = caught.value.problems
    assert message == Naming(limit + 1, limit)


def test_turned_positions_end_where_the_config_says() -> None:
    assert position_limit(encoder("modernbert", 20).model) == 20
    with pytest.raises(InputError, match=Naming(21, 20).pattern):
        encoder("modernbert", 21)


@pytest.mark.parametrize(
    ("model_type", "settings"),
    [
        ("t5", {}),
        ("deberta-v2", {"position_biased_input": False, "relative_attention": True}),
    ],
)
def test_a_model_of_distances_has_no_limit(model_type: str, settings: dict[str, Any]) -> None:
    long = encoder(model_type, 100, **settings)
    assert position_limit(long.model) is None
    with torch.inference_mode():
        tokens = long.tokenize(["cat " * 200])
        assert tokens["input_ids"].shape == (1, 100)
        assert long(tokens).isfinite().all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_padding_ends_with_the_positions() -> None:
    actual = encoder("gpt2", 20).to("cuda")
    assert actual.tokenize(["cat " * 40])["input_ids"].shape == (1, 20)
    assert actual.tokenize(["cat " * 12])["input_ids"].shape == (1, 16)
