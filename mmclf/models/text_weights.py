"""The models of text encoders: read from a folder and checked, or with random weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import nn
from transformers import CONFIG_MAPPING, AutoConfig, AutoModel
from transformers.utils import logging as transformers_logging

from mmclf.errors import InputError
from mmclf.models.architecture import check_architecture, read_config
from mmclf.models.hub import HUGGING_FACE_FILES, hub_folder
from mmclf.models.package import package_path
from mmclf.models.text_family import family_of

POOLER = "pooler."
POSITION_EMBEDDINGS = ("position_embeddings", "position_embedding", "embed_positions", "wpe")


def weights_folder(name: str, weights: str, package: Mapping[str, str] | None) -> Path:
    """The folder of a model's files; raises InputError if there is none."""
    if weights == "package":
        return package_path(package)
    if weights == "hub":
        return hub_folder(name, HUGGING_FACE_FILES)
    folder = Path(weights)
    if not (folder / "config.json").is_file():
        raise InputError(
            f"text.weights: no model folder at {folder}: expected config.json, model.safetensors "
            "and the tokenizer's files; or choose hub or random"
        )
    return folder


def load_pretrained(
    folder: Path, *, needs_pooler: bool = False, model_types: Sequence[str] = ()
) -> Any:
    """The model in a folder, of two towers the one that reads captions, of two stacks the encoder.

    Raises InputError if it cannot be read, is of a type that is not among MODEL_TYPES or
    `model_types`, or its weights do not fit. A pooler may be missing unless it is needed.
    """
    settings = read_config(folder, model_types)
    try:
        # A pooler that is missing from the file is initialised at random, from a fixed seed.
        with _silence(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            config = _text_config(_config(settings))
            model, info = _model_class(config).from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # they are reported below, with their names
                output_loading_info=True,
            )
    except (OSError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"text.weights: {folder} is no model that can be read: {first}") from error
    _check_loaded(model, info, folder, needs_pooler=needs_pooler)
    _prepare(model)
    return model.float()


def _config(settings: Mapping[str, Any]) -> Any:
    """The transformers config of settings that were read and checked: its file is not read anew."""
    name = settings["model_type"]
    if name not in CONFIG_MAPPING:
        raise InputError(f"text.weights: transformers has no model_type {name!r}")
    return CONFIG_MAPPING[name].from_dict(dict(settings))


def _text_config(config: Any) -> Any:
    """The part of a config that is about captions, where a family has one."""
    if family_of(config.model_type).text_class is None:
        return config
    return getattr(config, "text_config", None) or config


def _model_class(config: Any) -> Any:
    name = family_of(config.model_type).text_class
    return AutoModel if name is None else getattr(transformers, name)


def _check_loaded(model: Any, info: Mapping[str, Any], folder: Path, *, needs_pooler: bool) -> None:
    """Raise InputError for tensors that are missing, of another shape, or of additional layers.

    A checkpoint may hold more than the encoder.
    """
    missing = sorted(n for n in info["missing_keys"] if needs_pooler or not n.startswith(POOLER))
    shapes = sorted(map(_shape_mismatch, info["mismatched_keys"]))
    extra = sorted(name for name in info["unexpected_keys"] if _is_of_extra_layer(name, model))
    problems = [
        f"{kind}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for kind, names in (("missing", missing), ("shapes", shapes), ("too many", extra))
        if names
    ]
    if problems:
        raise InputError(
            f"text.weights: the weights in {folder} do not fit its config.json: "
            f"{'; '.join(problems)}"
        )


def _shape_mismatch(mismatch: str | tuple[str, Sequence[int], Sequence[int]]) -> str:
    if isinstance(mismatch, str):  # transformers 4.51 to 4.57 gives only the name
        return f"{mismatch} of another shape"
    name, stored, expected = mismatch
    return f"{name} {tuple(stored)} instead of {tuple(expected)}"


def _is_of_extra_layer(name: str, model: Any) -> bool:
    """Whether a tensor belongs to a numbered layer that the model does not have."""
    parts = name.removeprefix(f"{model.base_model_prefix}.").split(".")
    modules = {module for module, _ in model.named_modules()}
    return any(
        part.isdigit()
        and ".".join(parts[:i]) in modules
        and ".".join(parts[: i + 1]) not in modules
        for i, part in enumerate(parts)
    )


def _prepare(model: Any) -> None:
    # MobileBERT concatenates each token's embedding with its neighbours': a caption's last token
    # would depend on padding, hence on the longest caption of its batch. Zeros prevent that.
    if getattr(model.config, "trigram_input", False):
        with torch.no_grad():
            model.get_input_embeddings().weight[model.config.pad_token_id] = 0
    if family_of(model.config.model_type).pooling == "last":
        model.config.use_cache = False  # of a text that is written on, word by word


@contextmanager
def _silence() -> Iterator[None]:
    """Suppress the progress bar and the report on weights of transformers in the block."""
    bar_enabled, verbosity = (
        transformers_logging.is_progress_bar_enabled(),
        transformers_logging.get_verbosity(),
    )
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bar_enabled:
            transformers_logging.enable_progress_bar()


def config_folder(name: str) -> Path:
    """The folder with the config of a model in the hub; raises InputError if out of reach."""
    return hub_folder(name, ("config.json",), needed="config.json")


def random_model(
    folder: Path | None,
    architecture: Mapping[str, Any] | None,
    tokenizer: Any,
    model_types: Sequence[str] = (),
) -> Any:
    """A model with random weights from a fixed seed, of a vocabulary that fits the tokenizer.

    Raises InputError if the architecture makes none.

    Args:
        folder: with the config that is used without an architecture.
        architecture: settings of a transformers config.
        tokenizer: has a padding token.
        model_types: that are allowed beside MODEL_TYPES.

    """
    with _silence():
        config = _random_config(folder, architecture, model_types)
        if architecture is None or "vocab_size" not in architecture:
            config.vocab_size = max(len(tokenizer), 1)
        config.pad_token_id = tokenizer.pad_token_id
        _mend_end_token(config, tokenizer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                model = _from_config(config)
            except ValueError as error:
                raise InputError(
                    f"text.architecture: these settings make no model: {error}"
                ) from error
    _prepare(model)
    return model


def architecture_parameters(
    architecture: Mapping[str, Any], model_types: Sequence[str] = ()
) -> int:
    """How many parameters a model of these settings has; none of them takes memory.

    `model_types` are allowed beside MODEL_TYPES.

    Raises InputError if they make none.
    """
    with _silence(), torch.device("meta"):
        config = _random_config(None, architecture, model_types)
        try:
            model = _from_config(config)
        # What is too large for a number of 64 bits is a RuntimeError of torch's.
        except (ValueError, RuntimeError, TypeError, OverflowError) as error:
            raise InputError(f"text.architecture: these settings make no model: {error}") from error
    return sum(parameter.numel() for parameter in model.parameters())


def _mend_end_token(config: Any, tokenizer: Any) -> None:
    """Name the tokenizer's token of the end where the config's is beyond the vocabulary."""
    end = getattr(config, "eos_token_id", None)
    if isinstance(end, int) and end >= config.vocab_size:
        own = tokenizer.eos_token_id
        config.eos_token_id = own if own is not None else tokenizer.sep_token_id


def _from_config(config: Any) -> Any:
    model_class = _model_class(config)
    if model_class is AutoModel:
        return AutoModel.from_config(config, trust_remote_code=False)
    return model_class(config)


def _random_config(
    folder: Path | None, architecture: Mapping[str, Any] | None, model_types: Sequence[str]
) -> Any:
    if architecture is None:
        assert folder is not None
        return _text_config(_config(read_config(folder, model_types)))
    check_architecture(architecture, "text.architecture", model_types)
    settings = dict(architecture)
    try:
        return _text_config(AutoConfig.for_model(settings.pop("model_type"), **settings))
    except (KeyError, ValueError, StrictDataclassError) as error:
        raise InputError(
            f"text.architecture: no transformers config of these settings ({error}): expected "
            "model_type (bert, distilbert, gpt2, ...) and its arguments"
        ) from error


def position_limit(model: nn.Module) -> int | None:
    """The most tokens that a model has positions for; None if it counts distances alone."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in POSITION_EMBEDDINGS and isinstance(module, nn.Embedding):
            # RoBERTa and its kin count from the number of the padding token on; OPT from an offset.
            padding = module.padding_idx
            unused = padding + 1 if padding is not None else getattr(module, "offset", 0)
            return int(module.num_embeddings - unused)
    if any("rotary" in name for name, _ in model.named_modules()):
        limit = getattr(model.config, "max_position_embeddings", None)
        return int(limit) if limit is not None else None
    return None


def check_max_length(model: nn.Module, max_length: int) -> None:
    """Raise InputError if captions of `max_length` tokens are longer than the model's positions."""
    limit = position_limit(model)
    if limit is not None and max_length > limit:
        raise InputError(
            f"text.max_length: found {max_length}, expected at most {limit}, as this model has "
            f"positions for {limit} tokens: give text.max_length={limit}, longer captions are cut"
        )
