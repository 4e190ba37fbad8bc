"""What a family of text models is told apart by: its class, its pooling, how it takes padding.

Read from JSON alone: nothing is built and torch is not imported, so that keys are found quickly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from mmclf.errors import InputError
from mmclf.storage.file_limits import RECORD_BYTES, check_size

Pooling = Literal["mean", "cls", "last", "max", "pooler"]
PoolingSetting = Literal["auto", "mean", "cls", "last", "max", "pooler"]

# What sentence-transformers calls them, in its present form and in that of its older files.
SENTENCE_POOLINGS: Mapping[str, Pooling] = {
    "mean": "mean",
    "cls": "cls",
    "max": "max",
    "lasttoken": "last",
}
OLD_PREFIX = "pooling_mode_"
OLD_SUFFIXES = ("_tokens", "_token")


@dataclass(frozen=True)
class Family:
    """A family of text models.

    Args:
        pooling: of its token features, as it was trained or is commonly used.
        text_class: of transformers, for the part that reads captions; None for the whole model.
        reads_padding: trained on captions of one length, whose padding is read like words.

    """

    pooling: Pooling = "mean"
    text_class: str | None = None
    reads_padding: bool = False


CAUSAL = Family("last")  # a token sees those before it alone, so the last one has seen them all
# By the `model_type` of a config, without `_text_model`; a type that is not here is like BERT.
FAMILIES: Mapping[str, Family] = {
    # Its own pooled output is that of the last token (Radford et al. 2021).
    "clip": Family("last", "CLIPTextModel"),
    "siglip": Family("pooler", "SiglipTextModel", reads_padding=True),
    "siglip2": Family("pooler", "Siglip2TextModel", reads_padding=True),
    "t5": Family("mean", "T5EncoderModel"),
    "mt5": Family("mean", "MT5EncoderModel"),
    "umt5": Family("mean", "UMT5EncoderModel"),
    **dict.fromkeys(("gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "codegen"), CAUSAL),
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "phi"), CAUSAL),
}


def family_of(model_type: object) -> Family:
    """The family of a config's `model_type`."""
    return FAMILIES.get(str(model_type).removesuffix("_text_model"), Family())


def resolve_pooling(
    setting: PoolingSetting, *, architecture: Mapping[str, Any] | None, folder: Path | None
) -> Pooling:
    """The pooling that a setting stands for; `auto` by the model.

    Raises InputError if a sentence-transformers folder pools otherwise than we can.

    Args:
        setting: `text.pooling`.
        architecture: the settings of a config; None if they are in the folder.
        folder: of a model, or of its config alone; not looked at if there is an architecture.

    """
    if setting != "auto":
        return setting
    if architecture is not None:
        return family_of(architecture.get("model_type")).pooling
    assert folder is not None
    sentence = _sentence_pooling(folder)
    if sentence is not None:
        return sentence
    config = _read_json(folder / "config.json")
    return family_of(config.get("model_type") if isinstance(config, Mapping) else None).pooling


def _sentence_pooling(folder: Path) -> Pooling | None:
    """The pooling that `modules.json` leads to; None if the folder has none."""
    modules = _read_json(folder / "modules.json")
    for module in modules if isinstance(modules, list) else []:
        if isinstance(module, Mapping) and str(module.get("type", "")).endswith("Pooling"):
            inner = PurePosixPath(str(module.get("path", "")))
            if inner.is_absolute() or ".." in inner.parts:
                raise InputError(f"text.weights: {folder}/modules.json leads to {inner}, outside")
            return _pooling_in(folder / inner / "config.json")
    return None


def _pooling_in(file: Path) -> Pooling:
    config = _read_json(file)
    named = _named_poolings(config) if isinstance(config, Mapping) else []
    known = [SENTENCE_POOLINGS[name] for name in named if name in SENTENCE_POOLINGS]
    if len(named) != 1 or len(known) != 1:
        raise InputError(
            f"text.pooling: {file} pools by {' and '.join(named) or 'nothing that it names'}, "
            f"expected one of {', '.join(SENTENCE_POOLINGS)}: choose text.pooling="
            f"{' or '.join(get_args(Pooling))}"
        )
    return known[0]


def _named_poolings(config: Mapping[str, Any]) -> list[str]:
    mode = config.get("pooling_mode")
    if mode is not None:
        return [str(name) for name in mode] if isinstance(mode, list) else [str(mode)]
    names = [key for key, value in config.items() if key.startswith(OLD_PREFIX) and value is True]
    return [_without_suffix(name.removeprefix(OLD_PREFIX)) for name in names]


def _without_suffix(name: str) -> str:
    for suffix in OLD_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _read_json(file: Path) -> Any:
    """The content of a JSON file; None if there is no such file."""
    check_size(file, RECORD_BYTES, "settings")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"text.weights: {file.parent} is no model that can be read: {file.name} is no JSON "
            f"({error})"
        ) from error
