"""Tokenizers of transformers: read from a folder, given a padding token, held against a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from mmclf.errors import InputError
from mmclf.models.architecture import read_config
from mmclf.models.hub import HUGGING_FACE_FILES, cached_hub_folder
from mmclf.models.package import package_path
from mmclf.storage.file_limits import TOKENIZER_BYTES, check_size

WEIGHTS_SUFFIX = ".safetensors"
# Any token will do where the attention mask hides it; that of the end is the common choice.
PADDING_CHOICES = ("eos_token", "sep_token", "unk_token", "bos_token")


def read_tokenizer(folder: Path, model_types: Sequence[str] = ()) -> Any:
    """The tokenizer in a model's folder; raises InputError if there is none that can be read.

    A config.json beside it is checked first, with `model_types` allowed beside MODEL_TYPES, as
    transformers reads that too.
    """
    _check_config(folder, model_types)
    try:
        return _from_pretrained(folder)
    except (ImportError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"text: {folder} holds no tokenizer that can be read: {reason}") from error


def local_tokenizer(
    name: str, package: Mapping[str, str] | None, model_types: Sequence[str] = ()
) -> Any | None:
    """The tokenizer in a package, or of `name` in the hub's cache; None without."""
    try:
        source = name if package is None else package_path(package)
    except InputError:
        source = name
    _check_config(source, model_types)
    try:
        return _from_pretrained(source)
    except (ImportError, OSError, ValueError):
        return None


def _check_config(source: str | Path, model_types: Sequence[str]) -> None:
    """Raise InputError for a config beside a tokenizer that is not to be read."""
    folder: Path | None = Path(source)
    if isinstance(source, str) and not Path(source).is_dir():
        try:
            folder = cached_hub_folder(source, ("config.json",), needed="config.json")
        except InputError:  # no name that the hub could have
            folder = None
    if folder is not None and (folder / "config.json").is_file():
        read_config(folder, model_types)


def _from_pretrained(source: str | Path) -> Any:
    if isinstance(source, Path):
        _check_files(source)
    try:
        return AutoTokenizer.from_pretrained(source, local_files_only=True, trust_remote_code=False)
    except (ImportError, ValueError):
        # A family's own class may need a library that reading tokenizer.json does not.
        if not isinstance(source, Path) or not (source / "tokenizer.json").is_file():
            raise
        return PreTrainedTokenizerFast.from_pretrained(source, local_files_only=True)


def _check_files(folder: Path) -> None:
    """Raise InputError for a file of a tokenizer that is too large."""
    for pattern in HUGGING_FACE_FILES:
        for file in sorted(folder.glob(pattern)):
            if file.suffix != WEIGHTS_SUFFIX:
                check_size(file, TOKENIZER_BYTES, "a tokenizer")


def prepare_padding(tokenizer: Any) -> None:
    """Have padding on the right, with a token for it; raises InputError if no token can be it.

    On the left it would shift the positions of a caption by the longest of its batch.
    """
    tokenizer.padding_side = "right"
    if tokenizer.pad_token_id is not None:
        return
    for choice in PADDING_CHOICES:
        token = getattr(tokenizer, choice, None)
        if token is not None:
            tokenizer.pad_token = token
            return
    raise InputError(
        "text: the tokenizer has neither a padding token nor a token of the end, expected one in "
        "its tokenizer_config.json: name it there as pad_token"
    )


def check_vocabulary(tokenizer: Any, model: Any) -> None:
    """Raise InputError if the tokenizer has ids that the model has no embedding for."""
    embeddings = getattr(model.get_input_embeddings(), "num_embeddings", None)
    needed = max(tokenizer.get_vocab().values(), default=-1) + 1
    if embeddings is not None and needed > embeddings:
        raise InputError(
            f"text: the tokenizer has ids up to {needed - 1}, which needs {needed} embeddings, and "
            f"the model has {embeddings}: give the tokenizer that the model was trained with"
        )
