"""Text encoders: captions, tokenised and padded to the longest of a batch, to features (B, D)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from mmclf.errors import InputError
from mmclf.models.hub import HUGGING_FACE_FILES, hub_folder
from mmclf.models.package import package_path
from mmclf.models.wordpiece import train_wordpiece

UNUSED = ("pooler.",)


class HuggingFaceEncoder(nn.Module):
    """Any text encoder of Hugging Face, its tokens pooled by their mean or by the first one.

    `weights`: `hub`, `random` (always the same ones), `package` (the one named by `package`), or
    the path of a model folder, which never touches the network. Of random weights, `architecture`
    holds the settings of a transformers config, and a WordPiece vocabulary is trained on
    `train_captions` where no tokenizer is at hand. `tokenizer`: the folder of another tokenizer
    than the weights' own. No code of a model repository is ever run.
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
        own = _read_tokenizer(Path(tokenizer)) if tokenizer is not None else None
        if weights == "random":
            own = own if own is not None else _tokenizer_at_hand(name, package)
            self.tokenizer = own if own is not None else train_wordpiece(train_captions)
            self.model = _random(name, architecture, self.tokenizer)
        else:
            folder = _folder(name, weights, package)
            self.model = _pretrained(folder)
            self.tokenizer = own if own is not None else _read_tokenizer(folder)
        self.has_random_weights = weights == "random"
        self.pooling = pooling
        self.max_length = max_length
        self.out_dim = int(self.model.config.hidden_size)

    def tokenize(self, captions: Sequence[str]) -> dict[str, Tensor]:
        """Token ids and attention mask (B, T), T the longest of these captions."""
        tokens = self.tokenizer(
            list(captions),
            padding=True,
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        return {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}

    def lengths(self, captions: Sequence[str]) -> list[int]:
        """How many tokens each caption has, truncated as `tokenize` does."""
        tokens = self.tokenizer(
            list(captions),
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return [len(ids) for ids in tokens["input_ids"]]

    def architecture(self) -> dict[str, Any]:
        """The settings of its transformers config, from which random weights are made."""
        settings: dict[str, Any] = self.model.config.to_diff_dict()
        about_a_file = ("_name_or_path", "architectures", "dtype", "torch_dtype")
        own = {
            key: value
            for key, value in settings.items()
            if key not in (*about_a_file, "transformers_version")
        }
        return own | {"vocab_size": self.model.config.vocab_size}

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Features (B, D) of tokens (B, T)."""
        hidden: Tensor = self.model(**tokens).last_hidden_state
        if self.pooling == "cls":
            return hidden[:, 0]
        return mean_pool(hidden, tokens["attention_mask"])


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean (B, D) of token features (B, T, D) over the tokens that the mask (B, T) keeps."""
    kept = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * kept).sum(1) / kept.sum(1).clamp(min=1)


def _folder(name: str, weights: str, package: Mapping[str, str] | None) -> Path:
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


def _pretrained(folder: Path) -> Any:
    try:
        # A pooler that the file lacks is drawn: always the same one, like all random weights.
        with _quietly(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model, info = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # they are refused below, with their names
                output_loading_info=True,
            )
    except (OSError, RuntimeError, SafetensorError, ValueError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"text.weights: {folder} is no model that can be read: {first}") from error
    _check_loaded(model, info, folder)
    _blank_padding(model)
    return model.float()


def _check_loaded(model: Any, info: Mapping[str, Any], folder: Path) -> None:
    """Raise InputError naming the first tensors that are missing, misshapen or of further layers.

    A pooler may be missing, as nothing here uses one; a checkpoint may hold more than the encoder.
    """
    missing = sorted(name for name in info["missing_keys"] if not name.startswith(UNUSED))
    shapes = sorted(map(_misshapen, info["mismatched_keys"]))
    further = sorted(
        name for name in info["unexpected_keys"] if _is_of_a_further_layer(name, model)
    )
    problems = [
        f"{kind}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for kind, names in (("missing", missing), ("shapes", shapes), ("too many", further))
        if names
    ]
    if problems:
        raise InputError(
            f"text.weights: the weights in {folder} do not fit its config.json: "
            f"{'; '.join(problems)}"
        )


def _misshapen(found: str | tuple[str, Sequence[int], Sequence[int]]) -> str:
    if isinstance(found, str):  # transformers 4.51 to 4.57 tells the name alone
        return f"{found} of another shape"
    name, stored, wanted = found
    return f"{name} {tuple(stored)} instead of {tuple(wanted)}"


def _is_of_a_further_layer(name: str, model: Any) -> bool:
    """Whether a tensor belongs to a numbered layer that the model's stack of layers lacks."""
    pieces = name.removeprefix(f"{model.base_model_prefix}.").split(".")
    known = {module for module, _ in model.named_modules()}
    return any(
        piece.isdigit() and ".".join(pieces[:i]) in known and ".".join(pieces[: i + 1]) not in known
        for i, piece in enumerate(pieces)
    )


def _read_tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"text: {folder} holds no tokenizer that can be read: {first}") from error


def _blank_padding(model: Any) -> None:
    # MobileBERT joins each token's embedding with its neighbours': the last one of a caption would
    # see the padding, and so the longest caption of its batch. Beyond the end it sees zeros.
    if getattr(model.config, "trigram_input", False):
        with torch.no_grad():
            model.get_input_embeddings().weight[model.config.pad_token_id] = 0


@contextmanager
def _quietly() -> Iterator[None]:
    """Without transformers' bar and its report on weights, which our own errors stand for."""
    shown, verbosity = (
        transformers_logging.is_progress_bar_enabled(),
        transformers_logging.get_verbosity(),
    )
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if shown:
            transformers_logging.enable_progress_bar()


def _random(name: str, architecture: Mapping[str, Any] | None, tokenizer: Any) -> Any:
    config = _config(name, architecture)
    if architecture is None or "vocab_size" not in architecture:
        config.vocab_size = max(len(tokenizer), 1)
    config.pad_token_id = tokenizer.pad_token_id
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            model = AutoModel.from_config(config, trust_remote_code=False)
        except ValueError as error:
            raise InputError(f"text.architecture: these settings make no model: {error}") from error
    _blank_padding(model)
    return model


def _config(name: str, architecture: Mapping[str, Any] | None) -> Any:
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


def _tokenizer_at_hand(name: str, package: Mapping[str, str] | None) -> Any | None:
    try:
        where = name if package is None else package_path(package)
    except InputError:
        where = name
    try:
        return AutoTokenizer.from_pretrained(where, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError):
        return None
