"""What `auto` pooling comes to, by a model's type or by the files of sentence-transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel

from mmclf.errors import InputError
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.text_family import resolve_pooling
from mmclf.models.wordpiece import train_wordpiece

CAPTIONS = ["a cat on a sofa", "two dogs"]


def folder(path: Path, pooling: Any = None, **config: Any) -> Path:
    """A model's folder; `pooling`: the content of the file that modules.json leads to."""
    (path / "config.json").write_text(json.dumps({"model_type": "bert"} | config))
    if pooling is not None:
        modules = [
            {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]
        (path / "modules.json").write_text(json.dumps(modules))
        (path / "1_Pooling").mkdir()
        (path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return path


@pytest.mark.parametrize(
    ("model_type", "expected"),
    [
        *((name, "mean") for name in ("bert", "distilbert", "mobilebert", "roberta", "t5")),
        *((name, "last") for name in ("gpt2", "clip", "clip_text_model", "qwen3")),
        *((name, "pooler") for name in ("siglip", "siglip_text_model", "siglip2")),
        ("unheard_of", "mean"),
    ],
)
def test_a_type_has_its_pooling(tmp_path: Path, model_type: str, expected: str) -> None:
    by_file = resolve_pooling(
        "auto", architecture=None, folder=folder(tmp_path, model_type=model_type)
    )
    by_name = resolve_pooling("auto", architecture={"model_type": model_type}, folder=None)
    assert (by_file, by_name) == (expected, expected)


def test_a_pooling_that_is_named_is_taken(tmp_path: Path) -> None:
    pooling = resolve_pooling("max", architecture=None, folder=folder(tmp_path, model_type="gpt2"))
    assert pooling == "max"


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["lasttoken"]}, "last"),
    ],
)
def test_a_folder_of_sentence_transformers_says_it(
    tmp_path: Path, pooling: dict[str, Any], expected: str
) -> None:
    place = folder(tmp_path, pooling, model_type="gpt2")
    assert resolve_pooling("auto", architecture=None, folder=place) == expected


@pytest.mark.parametrize(
    "pooling",
    [
        {"pooling_mode": "weightedmean"},
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
        {"pooling_mode_mean_sqrt_len_tokens": True},
        {},
        [],
    ],
)
def test_a_pooling_that_is_not_ours_is_refused(tmp_path: Path, pooling: Any) -> None:
    place = folder(tmp_path, pooling)
    with pytest.raises(InputError, match=r"text\.pooling: .*1_Pooling/config\.json"):
        resolve_pooling("auto", architecture=None, folder=place)
    assert resolve_pooling("mean", architecture=None, folder=place) == "mean"


@pytest.mark.parametrize("path", ["../1_Pooling", "/etc", "a/../../b"])
def test_a_module_outside_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    modules = [{"path": path, "type": "sentence_transformers.models.Pooling"}]
    (folder(tmp_path) / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="outside"):
        resolve_pooling("auto", architecture=None, folder=tmp_path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (folder(tmp_path) / "modules.json").write_text("{")
    with pytest.raises(InputError, match=r"modules\.json is no JSON"):
        resolve_pooling("auto", architecture=None, folder=tmp_path)


@pytest.mark.parametrize("mode", ["cls", "mean", "max", "lasttoken"])
def test_features_are_those_of_sentence_transformers(tmp_path: Path, mode: str) -> None:
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    tokenizer = train_wordpiece(CAPTIONS)
    tokenizer.save_pretrained(tmp_path / "bert")
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(1)
    bert = BertModel(BertConfig(vocab_size=len(tokenizer), intermediate_size=16, **size))
    bert.save_pretrained(tmp_path / "bert")
    parts = [modules.Transformer(str(tmp_path / "bert")), modules.Pooling(16, mode)]
    theirs = library.SentenceTransformer(modules=parts, device="cpu")
    theirs.save_pretrained(str(tmp_path / "sentences"))
    ours = HuggingFaceEncoder("x", str(tmp_path / "sentences")).eval()
    with torch.inference_mode():
        actual = ours(ours.tokenize(CAPTIONS))
    expected = theirs.encode(CAPTIONS, convert_to_tensor=True)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)
