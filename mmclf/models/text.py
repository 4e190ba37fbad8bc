"""Text encoders of Hugging Face: from captions to features (B, D)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from mmclf.errors import InputError
from mmclf.models.hub import HUGGING_FACE_FILES, hub_folder
from mmclf.models.package import package_path
from mmclf.models.wordpiece import train_wordpiece

UNUSED_PREFIXES = ("pooler.",)


class HuggingFaceEncoder(nn.Module):
    """A text encoder of Hugging Face with pooled token features.

    Code in a model repository is never run.

    Args:
        name: of the model in the hub.
        weights: `hub`, `random` (from a fixed seed), `package`, or the path of a model folder.
        pooling: of the token features, their `mean` or that of the first token (`cls`).
        max_length: in tokens; longer captions are truncated.
        architecture: settings of a transformers config, for random weights.
        package: `distribution`, `path` and `sha256` of weights in an installed package.
        tokenizer: folder of a tokenizer, if not that of the weights.
        train_captions: to train a WordPiece vocabulary if random weights have no tokenizer.

    """

    def __init__(
        self,
        name: str,
        weights: str = "hub",
        pooling: Literal["mean", "cls"] = "mean",
        max_length: int = 64,
        architecture: Mapping[str, Any] | None = None,
        package: Mapping[str, str] | None = None,
        tokenizer: str | None = None,
        train_captions: Sequence[str] = (),
    ) -> None:
        super().__init__()
        own_tokenizer = _read_tokenizer(Path(tokenizer)) if tokenizer is not None else None
        if weights == "random":
            own_tokenizer = (
                own_tokenizer if own_tokenizer is not None else _local_tokenizer(name, package)
            )
            self.tokenizer = (
                own_tokenizer if own_tokenizer is not None else train_wordpiece(train_captions)
            )
            self.model = _random_model(name, architecture, self.tokenizer)
        else:
            folder = _weights_folder(name, weights, package)
            self.model = _load_pretrained(folder)
            self.tokenizer = own_tokenizer if own_tokenizer is not None else _read_tokenizer(folder)
        self.has_random_weights = weights == "random"
        self.pooling = pooling
        self.max_length = max_length
        self.out_dim = int(self.model.config.hidden_size)

    def tokenize(self, captions: Sequence[str]) -> dict[str, Tensor]:
        """Token ids and attention mask (B, T), padded to the longest caption."""
        return self.pad(self.token_ids(captions))

    def token_ids(self, captions: Sequence[str]) -> list[list[int]]:
        """The tokens of each caption, truncated."""
        tokens = self.tokenizer(
            list(captions),
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        ids: list[list[int]] = tokens["input_ids"]
        return ids

    def pad(self, token_ids: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Token ids and attention mask (B, T), padded to the longest; on a GPU to a multiple of 8.

        So there are few shapes T, each of whose passes can be captured.
        """
        rows = [torch.tensor(ids, dtype=torch.long) for ids in token_ids]
        side = self.tokenizer.padding_side
        padded = pad_sequence(rows, True, float(self.tokenizer.pad_token_id), side)
        mask = pad_sequence([torch.ones_like(row) for row in rows], True, 0.0, side)
        missing = -padded.shape[1] % 8 if self.model.device.type == "cuda" else 0
        if missing > 0:
            sides = (missing, 0) if side == "left" else (0, missing)
            padded = nn.functional.pad(padded, sides, value=self.tokenizer.pad_token_id)
            mask = nn.functional.pad(mask, sides)
        return {"input_ids": padded, "attention_mask": mask}

    def architecture(self) -> dict[str, Any]:
        """The settings of the model's transformers config, to build it with random weights."""
        settings: dict[str, Any] = self.model.config.to_diff_dict()
        file_fields = ("_name_or_path", "architectures", "dtype", "torch_dtype")
        fields = {
            key: value
            for key, value in settings.items()
            if key not in (*file_fields, "transformers_version")
        }
        return fields | {"vocab_size": self.model.config.vocab_size}

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Features (B, D) of tokens (B, T)."""
        hidden: Tensor = self.model(**tokens).last_hidden_state
        if self.pooling == "cls":
            return hidden[:, 0]
        return mean_pool(hidden, tokens["attention_mask"])


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean (B, D) of token features (B, T, D) over the tokens in the mask (B, T)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def _weights_folder(name: str, weights: str, package: Mapping[str, str] | None) -> Path:
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


def _load_pretrained(folder: Path) -> Any:
    try:
        # A pooler that is missing from the file is initialised at random, from a fixed seed.
        with _silence(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model, info = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # they are reported below, with their names
                output_loading_info=True,
            )
    except (OSError, RuntimeError, SafetensorError, ValueError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"text.weights: {folder} is no model that can be read: {first}") from error
    _check_loaded(model, info, folder)
    _zero_padding_embedding(model)
    return model.float()


def _check_loaded(model: Any, info: Mapping[str, Any], folder: Path) -> None:
    """Raise InputError for tensors that are missing, of another shape, or of additional layers.

    A pooler may be missing, as it is not used; a checkpoint may hold more than the encoder.
    """
    missing = sorted(name for name in info["missing_keys"] if not name.startswith(UNUSED_PREFIXES))
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


def _read_tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"text: {folder} holds no tokenizer that can be read: {reason}") from error


def _zero_padding_embedding(model: Any) -> None:
    # MobileBERT concatenates each token's embedding with its neighbours': a caption's last token
    # would depend on padding, hence on the longest caption of its batch. Zeros prevent that.
    if getattr(model.config, "trigram_input", False):
        with torch.no_grad():
            model.get_input_embeddings().weight[model.config.pad_token_id] = 0


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


def _random_model(name: str, architecture: Mapping[str, Any] | None, tokenizer: Any) -> Any:
    config = _random_config(name, architecture)
    if architecture is None or "vocab_size" not in architecture:
        config.vocab_size = max(len(tokenizer), 1)
    config.pad_token_id = tokenizer.pad_token_id
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            model = AutoModel.from_config(config, trust_remote_code=False)
        except ValueError as error:
            raise InputError(f"text.architecture: these settings make no model: {error}") from error
    _zero_padding_embedding(model)
    return model


def _random_config(name: str, architecture: Mapping[str, Any] | None) -> Any:
    if architecture is not None:
        settings = dict(architecture)
        try:
            return AutoConfig.for_model(settings.pop("model_type"), **settings)
        except (KeyError, ValueError, StrictDataclassError) as error:
            raise InputError(
                f"text.architecture: no transformers config of these settings ({error}): expected "
                "model_type (bert, distilbert, mobilebert, ...) and its arguments"
            ) from error
    folder = hub_folder(name, ("config.json",), needed="config.json")
    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _local_tokenizer(name: str, package: Mapping[str, str] | None) -> Any | None:
    try:
        source = name if package is None else package_path(package)
    except InputError:
        source = name
    try:
        return AutoTokenizer.from_pretrained(source, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError):
        return None
