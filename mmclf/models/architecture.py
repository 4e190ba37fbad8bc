"""What the config of a text model may say: a closed list of types, plain settings, bounds.

Transformers builds whatever class a config names, and some of them load weights, code or kernels
that the config names too. JSON and YAML of anyone's come to it after this check alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmclf.errors import InputError, suggestion

MODEL_TYPES = (
    *("albert", "bert", "clip", "clip_text_model", "deberta", "deberta-v2", "distilbert"),
    *("electra", "gpt2", "mobilebert", "modernbert", "mpnet", "roberta", "siglip"),
    *("siglip_text_model", "t5", "xlm-roberta"),
)
# Settings that name code, weights or kernels to fetch, in whatever part of a config they stand.
NAMES_CODE = re.compile(
    r"auto_map|.*implementation.*|.*kernel_config.*|use_kernels?|quantization_config|trust_remote"
    r"_code|custom_pipelines?|.*backbone.*|adapter.*|peft.*"
)
HARMLESS = (None, False, "eager", "sdpa")  # whatever setting has them
WRITTEN = ("_name_or_path", "_commit_hash", "_num_labels", "_attn_implementation_autoset")
PLAIN_KEY = re.compile(r"[A-Za-z]\w*", re.ASCII)
MAX_DEPTH = 8
MAX_VALUES = 100_000
# The most that a setting may be, by what its name fits first.
BOUNDS: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern), bound)
    for pattern, bound in (
        (r".*(vocab_size|position|_id|_ids|_length|_ctx).*", 1e7),
        (r"(num|n)_.*(layer|head|group|block).*|n_layers?|n_heads?", 1_000),
        (r".*(size|dim|width|d_model|d_ff|d_kv|n_embd|n_inner)", 65_536),
        (r".*", 1e9),
    )
)


def check_architecture(
    settings: Mapping[str, Any], where: str, model_types: Sequence[str] = ()
) -> None:
    """Raise InputError for settings of a text model that are not plain, or of another type.

    Args:
        settings: of a transformers config.
        where: they stand, as a message begins.
        model_types: those that the command line allows beside MODEL_TYPES.

    """
    problems = [f"{where}: {text}" for text in architecture_problems(settings, model_types)]
    if problems:
        raise InputError(*problems)


def read_config(folder: Path, model_types: Sequence[str]) -> dict[str, Any]:
    """The checked content of a model folder's config.json; raises InputError."""
    where = f"text.weights: {folder} is no model that can be read: config.json"
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: it cannot be read as JSON ({error})") from error
    if not isinstance(settings, dict):
        raise InputError(f"{where}: found a {type(settings).__name__}, expected a mapping")
    settings = without_written(settings)
    check_architecture(settings, where, model_types)
    return settings


def without_written(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that transformers writes into a config.json of its own accord."""
    return {key: value for key, value in settings.items() if key not in WRITTEN}


def architecture_problems(settings: Mapping[str, Any], model_types: Sequence[str]) -> Iterator[str]:
    """What is wrong with the settings of a text model."""
    yield from _type_problems(settings, (*MODEL_TYPES, *model_types))
    for count, (key, value, depth) in enumerate(_settings(settings), 1):
        if depth > MAX_DEPTH or count > MAX_VALUES:
            yield f"found more than {MAX_VALUES:,} settings or {MAX_DEPTH} levels of them"
            return
        if NAMES_CODE.fullmatch(key) and value not in HARMLESS:
            yield f"the setting {key!r} is not allowed, as it can name code to fetch: leave it out"
        elif depth == 1 and not PLAIN_KEY.fullmatch(key):
            yield f"the setting {key!r} is not allowed, expected a plain name: leave it out"
        else:
            yield from _value_problems(key, value)


def _type_problems(settings: Mapping[str, Any], allowed: Sequence[str]) -> Iterator[str]:
    """What is wrong with the types of a config and of the parts of it."""
    name = settings.get("model_type")
    if name not in allowed:
        yield (
            f"found model_type {name!r}, expected one of a text model: "
            f"{suggestion(str(name), allowed)}; allow_model_types=[TYPE] on the command line "
            "allows another"
        )
    part = settings.get("text_config")
    if isinstance(part, Mapping) and part.get("model_type", name) not in allowed:
        yield (
            f"text_config: found model_type {part['model_type']!r}, expected "
            f"{suggestion(str(part['model_type']), allowed)}"
        )


def _settings(node: object, key: str = "", depth: int = 0) -> Iterator[tuple[str, Any, int]]:
    """Each setting with its key and how deep it lies, those in containers too."""
    if depth > 0:
        yield key, node, depth
    if depth > MAX_DEPTH:
        return
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _settings(value, str(name), depth + 1)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _settings(value, key, depth + 1)


def _value_problems(key: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple | str | bool | None):
        return
    if not isinstance(value, int | float):
        yield f"{key}: found a {type(value).__name__}, expected a plain value"
        return
    bound = next(most for pattern, most in BOUNDS if pattern.fullmatch(key))
    if not math.isfinite(value) or abs(value) > bound:
        yield f"{key}: found {value:.6g}, expected a number of at most {bound:,.0f}"
