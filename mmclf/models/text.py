"""Text encoders of Hugging Face: from captions to features (B, D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmclf.models.architecture import check_architecture
from mmclf.models.pooling import pool
from mmclf.models.text_family import Pooling, PoolingSetting, family_of, resolve_pooling
from mmclf.models.text_weights import (
    check_max_length,
    config_folder,
    load_pretrained,
    position_limit,
    random_model,
    weights_folder,
)
from mmclf.models.tokenizer import (
    check_vocabulary,
    local_tokenizer,
    prepare_padding,
    read_tokenizer,
)
from mmclf.models.wordpiece import train_wordpiece


class HuggingFaceEncoder(nn.Module):
    """A text encoder of Hugging Face with pooled token features.

    Code in a model repository is never run.

    Args:
        name: of the model in the hub.
        weights: `hub`, `random` (from a fixed seed), `package`, or the path of a model folder.
        pooling: of the token features: their `mean` or `max`, that of the first token (`cls`) or
            of the `last`, or the model's own `pooler`; `auto` by sentence-transformers' files in
            the folder, else by the model's family.
        max_length: in tokens; longer captions are truncated.
        architecture: settings of a transformers config, for random weights.
        package: `distribution`, `path` and `sha256` of weights in an installed package.
        tokenizer: folder of a tokenizer, if not that of the weights.
        train_captions: to train a WordPiece vocabulary if random weights have no tokenizer.
        allow_model_types: of transformers, beside those of
            `mmclf.models.architecture.MODEL_TYPES`.

    """

    def __init__(
        self,
        name: str,
        weights: str = "hub",
        pooling: PoolingSetting = "auto",
        max_length: int = 64,
        architecture: Mapping[str, Any] | None = None,
        package: Mapping[str, str] | None = None,
        tokenizer: str | None = None,
        train_captions: Sequence[str] = (),
        allow_model_types: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if architecture is not None:
            check_architecture(architecture, "text.architecture", allow_model_types)
        own_tokenizer = (
            read_tokenizer(Path(tokenizer), allow_model_types) if tokenizer is not None else None
        )
        self.has_random_weights = weights == "random"
        if self.has_random_weights:
            folder = None if architecture is not None else config_folder(name)
            self.pooling = resolve_pooling(pooling, architecture=architecture, folder=folder)
            tokenizer = (
                own_tokenizer
                if own_tokenizer is not None
                else local_tokenizer(name, package, allow_model_types)
            )
            self.tokenizer = tokenizer if tokenizer is not None else train_wordpiece(train_captions)
            prepare_padding(self.tokenizer)
            self.model = random_model(folder, architecture, self.tokenizer, allow_model_types)
        else:
            folder = weights_folder(name, weights, package)
            self.pooling = resolve_pooling(pooling, architecture=None, folder=folder)
            self.model = load_pretrained(
                folder,
                needs_pooler=self.pooling == "pooler",
                model_types=allow_model_types,
            )
            self.tokenizer = (
                own_tokenizer
                if own_tokenizer is not None
                else read_tokenizer(folder, allow_model_types)
            )
            prepare_padding(self.tokenizer)
        check_vocabulary(self.tokenizer, self.model)
        check_max_length(self.model, max_length)
        self.max_length = max_length
        self._positions = position_limit(self.model)
        self._reads_padding = family_of(self.model.config.model_type).reads_padding
        self.out_dim = _width(self.model.config, self.pooling)

    def tokenize(self, captions: Sequence[str]) -> dict[str, Tensor]:
        """Token ids and attention mask (B, T), padded to the longest caption."""
        return self.pad(self.token_ids(captions))

    def token_ids(self, captions: Sequence[str]) -> list[list[int]]:
        """The tokens of each caption, truncated; one of padding where there are none."""
        tokens = self.tokenizer(
            list(captions),
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        nothing = [self.tokenizer.pad_token_id]
        return [ids if len(ids) > 0 else nothing for ids in tokens["input_ids"]]

    def pad(self, token_ids: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Token ids and attention mask (B, T), padded to the longest; on a GPU to a multiple of 8.

        So there are few shapes T, each of whose passes can be captured. A model that reads padding
        gets all of its positions.
        """
        rows = [torch.tensor(ids, dtype=torch.long) for ids in token_ids]
        side = self.tokenizer.padding_side
        padded = pad_sequence(rows, True, float(self.tokenizer.pad_token_id), side)
        mask = pad_sequence([torch.ones_like(row) for row in rows], True, 0.0, side)
        missing = self._padded_length(padded.shape[1]) - padded.shape[1]
        if missing > 0:
            sides = (missing, 0) if side == "left" else (0, missing)
            padded = nn.functional.pad(padded, sides, value=self.tokenizer.pad_token_id)
            mask = nn.functional.pad(mask, sides)
        return {"input_ids": padded, "attention_mask": mask}

    def _padded_length(self, longest: int) -> int:
        if self._reads_padding and self._positions is not None:
            return self._positions
        if self.model.device.type != "cuda":
            return longest
        multiple = longest + -longest % 8
        return multiple if self._positions is None else min(multiple, self._positions)

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
        mask = tokens["attention_mask"]
        given = {"input_ids": tokens["input_ids"]} if self._reads_padding else tokens
        output = self.model(**given)
        if self.pooling == "pooler":
            pooled: Tensor = output.pooler_output
            return pooled
        return pool(output.last_hidden_state, mask, self.pooling)


def _width(config: Any, pooling: Pooling) -> int:
    """The width D of the features; a pooler may project them to another one."""
    projected = getattr(config, "projection_size", None) if pooling == "pooler" else None
    return int(projected if projected is not None else config.hidden_size)
