"""Each family of text models, saved whole as on the hub: read back, and as transformers has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2TokenizerFast,
    ModernBertConfig,
    ModernBertForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
    SiglipConfig,
    SiglipModel,
    T5Config,
    T5ForConditionalGeneration,
)

from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.wordpiece import train_wordpiece

CAPTIONS = ["a man on a horse", "two dogs", "a red bus beside a very long train at night", ""]
WIDE = {"hidden_size": 16, "intermediate_size": 32}
DEEP = {"num_hidden_layers": 2, "num_attention_heads": 2}
TOWER = {**WIDE, **DEEP, "projection_dim": 8, "image_size": 32, "patch_size": 16}


def tower(**settings: Any) -> dict[str, Any]:
    return {"text_config": {**TOWER, **settings}, "vision_config": TOWER}


RELATIVE = {"relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"]}
T5_SIZE = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
# With all the parts that a family's files on the hub have.
MODELS: dict[str, Callable[..., Any]] = {
    "clip": lambda **ids: CLIPModel(CLIPConfig(**tower(**ids))),
    "siglip": lambda **ids: SiglipModel(SiglipConfig(**tower(**ids, max_position_embeddings=20))),
    "t5": lambda **ids: T5ForConditionalGeneration(
        T5Config(**ids, **T5_SIZE, decoder_start_token_id=0)
    ),
    "gpt2": lambda **ids: GPT2LMHeadModel(GPT2Config(**ids, n_embd=16, n_layer=2, n_head=2)),
    "deberta": lambda **ids: DebertaV2ForMaskedLM(
        DebertaV2Config(**ids, **WIDE, **DEEP, **RELATIVE, position_biased_input=False)
    ),
    "roberta": lambda **ids: RobertaForMaskedLM(
        RobertaConfig(**ids, **WIDE, **DEEP, max_position_embeddings=66)
    ),
    "modernbert": lambda **ids: ModernBertForMaskedLM(ModernBertConfig(**ids, **WIDE, **DEEP)),
}


def model(family: str, tokenizer: Any) -> Any:
    """A small model with random weights."""
    torch.manual_seed(1)
    return MODELS[family](
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )


def mean(hidden: Tensor, mask: Tensor) -> Tensor:
    rows = [row[seen == 1].mean(0) for row, seen in zip(hidden, mask, strict=True)]
    return torch.stack(rows)


def of_transformers(family: str, folder: Path, tokenizer: Any) -> Tensor:
    """The features of the captions as transformers makes them of the folder."""
    net = AutoModel.from_pretrained(folder).eval()
    given = tokenizer(CAPTIONS, padding=True, return_tensors="pt", return_token_type_ids=False)
    mask = given["attention_mask"]
    with torch.inference_mode():
        match family:
            case "clip":
                pooled: Tensor = net.text_model(**given).pooler_output
                return pooled
            case "siglip":
                full = tokenizer(CAPTIONS, padding="max_length", max_length=20, return_tensors="pt")
                read: Tensor = net.text_model(input_ids=full["input_ids"]).pooler_output
                return read
            case "t5":
                return mean(net.encoder(**given).last_hidden_state, mask)
            case "gpt2":
                hidden: Tensor = net(**given).last_hidden_state
                return hidden[torch.arange(len(CAPTIONS)), mask.sum(1) - 1]
        return mean(net(**given).last_hidden_state, mask)


@pytest.mark.parametrize(
    ("family", "pooling", "trained_class"),
    [
        ("clip", "last", "CLIPTextModel"),
        ("siglip", "pooler", "SiglipTextModel"),
        ("t5", "mean", "T5EncoderModel"),
        ("gpt2", "last", "GPT2Model"),
        ("deberta", "mean", "DebertaV2Model"),
        ("roberta", "mean", "RobertaModel"),
        ("modernbert", "mean", "ModernBertModel"),
    ],
)
def test_a_family_gives_the_features_of_transformers(
    tmp_path: Path, family: str, pooling: str, trained_class: str
) -> None:
    tokenizer = train_wordpiece(CAPTIONS)
    model(family, tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    limit = 20 if family == "siglip" else 64
    encoder = HuggingFaceEncoder("x", str(tmp_path), max_length=limit).eval()
    assert (encoder.pooling, type(encoder.model).__name__) == (pooling, trained_class)
    with torch.inference_mode():
        built = encoder(encoder.tokenize(CAPTIONS))
        alone = torch.cat([encoder(encoder.tokenize([caption])) for caption in CAPTIONS])
    assert built.shape == (len(CAPTIONS), encoder.out_dim) == (len(CAPTIONS), 16)
    expected = of_transformers(family, tmp_path, tokenizer)
    torch.testing.assert_close(built, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(built, alone, atol=1e-5, rtol=1e-4)
    assert not torch.equal(built[0], built[1])


def byte_pairs(folder: Path) -> GPT2TokenizerFast:
    """A tokenizer as GPT-2 has it: no padding token, and nothing around a caption."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(CAPTIONS, 300, special_tokens=["<|endoftext|>"])
    trained.save_model(str(folder))
    return GPT2TokenizerFast.from_pretrained(folder)


def test_a_tokenizer_without_padding_pads_by_its_end(tmp_path: Path) -> None:
    tokenizer = byte_pairs(tmp_path)
    assert tokenizer.pad_token_id is None
    tokenizer.save_pretrained(tmp_path)
    GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2)
    ).save_pretrained(tmp_path)
    encoder = HuggingFaceEncoder("x", str(tmp_path)).eval()
    tokens = encoder.tokenize(["two dogs", "a red bus", ""])
    assert encoder.tokenizer.pad_token_id == tokenizer.eos_token_id
    assert tokens["attention_mask"].sum(1)[2] == 1  # no tokens at all would have no feature
    with torch.inference_mode():
        built = encoder(tokens)
        alone = encoder(encoder.tokenize(["two dogs"]))
        hidden = encoder.model(
            input_ids=torch.tensor([tokenizer("two dogs")["input_ids"]])
        ).last_hidden_state
    torch.testing.assert_close(built[:1], alone, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(alone, hidden[:, -1], atol=1e-5, rtol=1e-4)


def test_a_tokenizer_whose_class_needs_more_is_read_from_its_json(tmp_path: Path) -> None:
    tokenizer = train_wordpiece(CAPTIONS)
    model("siglip", tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    settings = json.loads(file.read_text()) | {"tokenizer_class": "SiglipTokenizer"}
    file.write_text(json.dumps(settings))
    encoder = HuggingFaceEncoder("x", str(tmp_path), max_length=20)
    assert encoder.token_ids(CAPTIONS[:2]) == tokenizer(CAPTIONS[:2])["input_ids"]


def test_padding_is_read_by_siglip_alone(tmp_path: Path) -> None:
    tokenizer = train_wordpiece(CAPTIONS)
    for family in ("siglip", "clip"):
        folder = tmp_path / family
        model(family, tokenizer).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    siglip = HuggingFaceEncoder("x", str(tmp_path / "siglip"), max_length=10)
    clip = HuggingFaceEncoder("x", str(tmp_path / "clip"), max_length=10)
    tokens = siglip.tokenize(["two dogs"])
    assert tokens["input_ids"].shape == (1, 20)  # cut at 10, padded to its positions
    assert tokens["attention_mask"].sum() == 4
    assert clip.tokenize(["two dogs"])["input_ids"].shape == (1, 4)
