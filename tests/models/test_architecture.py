"""A text model is of a known type, and its config has plain settings within bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from model_folders import cached
from transformers import CONFIG_MAPPING

from mmclf.config.shipped import conf_dir
from mmclf.config.signature_check import check_component
from mmclf.errors import InputError
from mmclf.models.architecture import MODEL_TYPES, check_architecture, read_config
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.tokenizer import local_tokenizer, read_tokenizer

TINY = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
BERT: dict[str, Any] = {"model_type": "bert", **TINY}
CAPTIONS = ["a cat", "two dogs"]
HOSTILE = [
    {"model_type": "timm_wrapper", "architecture": "resnet18"},
    {"model_type": "vision-encoder-decoder"},
    {"model_type": "opt"},
    {"model_type": None},
    {"model_type": ["bert"]},
    {"auto_map": {"AutoModel": "modeling.Any"}},
    {"text_config": {"auto_map": {"AutoModel": "modeling.Any"}}},
    {"text_config": {"model_type": "timm_wrapper"}},
    {"attn_implementation": "owner/kernel"},
    {"attn_implementation": {"": "owner/kernel"}},
    {"_attn_implementation": "owner/kernel"},
    {"_attn_implementation_internal": "owner/kernel"},
    {"experts_implementation": "owner/kernel"},
    {"use_kernels": True},
    {"kernel_config": {"x": "owner/kernel"}},
    {"text_config": [{"use_kernels": 1}]},
    {"quantization_config": {"quant_method": "x"}},
    {"backbone": "resnet18"},
    {"_private": 1},
    {"a-b": 1},
    {"__class__": "x"},
    {"hidden_size": 10**12},
    {"hidden_size": -(10**12)},
    {"num_hidden_layers": 100_000},
    {"vocab_size": 10**9},
    {"layer_norm_eps": float("inf")},
    {"layer_norm_eps": float("nan")},
    {"x": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}},
]


@pytest.mark.parametrize("settings", HOSTILE)
@pytest.mark.hostile("encoders and weights")
def test_what_could_fetch_code_or_fill_the_memory_is_refused(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    architecture = BERT | settings
    with pytest.raises(InputError, match=r"^text\.architecture: "):
        check_architecture(architecture, "text.architecture")
    with pytest.raises(InputError, match=r"^text\.architecture: "):
        HuggingFaceEncoder("x", "random", architecture=architecture, train_captions=CAPTIONS)
    (tmp_path / "config.json").write_text(json.dumps(architecture))
    for read in (
        lambda: read_config(tmp_path, ()),
        lambda: HuggingFaceEncoder("x", str(tmp_path)),
        lambda: read_tokenizer(tmp_path),
        lambda: local_tokenizer(str(tmp_path), None),
    ):
        with pytest.raises(InputError, match=r"is no model that can be read: config\.json: "):
            read()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("weights", ["hub", "random"])
@pytest.mark.hostile("encoders and weights")
def test_a_repository_of_the_hub_is_checked_too(cache: Path, weights: str) -> None:
    cached(cache, "some/net", config=json.dumps({"model_type": "timm_wrapper"}))
    with pytest.raises(InputError, match="found model_type 'timm_wrapper'"):
        HuggingFaceEncoder("some/net", weights, train_captions=CAPTIONS)
    if weights == "random":
        with pytest.raises(InputError, match="found model_type 'timm_wrapper'"):
            HuggingFaceEncoder("some/net", weights, architecture=BERT, train_captions=CAPTIONS)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"attn_implementation": "eager"},
        {"attn_implementation": None},
        {"use_kernels": False},
        {"hidden_size": 65_536, "num_hidden_layers": 1_000, "vocab_size": 10_000_000},
        {"id2label": {"0": "not that", "1": "that"}, "label2id": {"not that": 0, "that": 1}},
        {"layer_norm_eps": 1e-12, "initializer_range": 0.02, "pruned_heads": {}, "bos": None},
        {"rope_parameters": {"full_attention": {"rope_theta": 160_000.0}}},
        {"task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}},
    ],
)
def test_plain_settings_pass(settings: dict[str, Any]) -> None:
    check_architecture(BERT | settings, "text.architecture")


def test_what_transformers_writes_of_its_own_accord_is_left_out(tmp_path: Path) -> None:
    settings = BERT | {"_name_or_path": "x", "_attn_implementation_autoset": True}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    assert read_config(tmp_path, ()) == BERT


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_the_config_that_transformers_makes_of_a_type_passes(name: str, tmp_path: Path) -> None:
    config = CONFIG_MAPPING[name]()
    config.save_pretrained(tmp_path)
    assert read_config(tmp_path, ())["model_type"] == name
    check_architecture(config.to_diff_dict(), "text.architecture")


def test_the_shipped_architectures_pass() -> None:
    nodes = [yaml.safe_load(file.read_text()) for file in (conf_dir() / "text").glob("*.yaml")]
    shipped = [node["architecture"] for node in nodes if node.get("architecture") is not None]
    assert len(shipped) > 10
    for architecture in shipped:
        check_architecture(architecture, "text.architecture")


def test_another_type_is_allowed_by_the_command_line() -> None:
    opt = {"model_type": "opt", "hidden_size": 8, "ffn_dim": 8, "word_embed_proj_dim": 8}
    opt |= {"num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 80}
    encoder = HuggingFaceEncoder(
        "x",
        "random",
        architecture=opt,
        train_captions=CAPTIONS,
        allow_model_types=["opt"],
    )
    assert (encoder.out_dim, encoder.pooling) == (8, "last")
    with pytest.raises(InputError, match=r"allow_model_types=\[TYPE\]"):
        HuggingFaceEncoder("x", "random", architecture=opt, train_captions=CAPTIONS)


@pytest.mark.parametrize("role", ["text", "vision", "fusion", "loss"])
@pytest.mark.hostile("encoders and weights")
def test_a_config_file_allows_itself_no_type(role: str) -> None:
    node = {
        "_target_": "mmclf.models.text.HuggingFaceEncoder",
        "name": "x",
        "allow_model_types": ["timm_wrapper"],
    }
    for given in (node, {"_target_": "torch.nn.Sequential", "args": node}):
        messages = check_component(given, role, role, ())
        assert any("allow_model_types" in text or "args" in text for text in messages)
