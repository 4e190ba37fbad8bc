"""TrainingSet: what the trainer draws its batches from, features beforehand or raw inputs."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.config.schema import Augment
from mmclf.data.images import Pictures
from mmclf.models.classifier import Several
from mmclf.models.encoders import TextEncoder, VisionEncoder
from mmclf.training.batch_augment import augmented
from mmclf.training.encode import standardise
from mmclf.training.prefetch import rows_to_device, to_device
from mmclf.training.share import ALONE, Share

ALL = slice(None)


class ModalityInput(Protocol):
    """One modality's input of N examples."""

    def eval_batch(self, rows: slice, device: torch.device, /) -> Any:
        """What the model takes of some rows, not augmented."""

    def train_batch(
        self, rows: Tensor, generator: torch.Generator, device: torch.device, own: slice = ALL, /
    ) -> Any:
        """What the model takes of the `own` ones of some rows in training.

        Its augmentation is drawn at random for all of them, so that it does not depend on `own`.
        """

    def subset(self, rows: NDArray[np.int64], /) -> ModalityInput:
        """The input of other examples: of these rows, in their order."""


@dataclass(frozen=True)
class FeatureInput:
    """Features (N, V, D) of a frozen encoder, view 0 the clean one, on the device of training.

    With `clean_is_drawn` false, view 0 is for evaluation alone: training draws the others.
    """

    values: Tensor
    clean_is_drawn: bool = True

    def eval_batch(self, rows: slice, device: torch.device) -> Tensor:
        """View 0 of some rows (B, D)."""
        return self.values[rows, 0].to(device)

    def train_batch(
        self, rows: Tensor, generator: torch.Generator, device: torch.device, own: slice = ALL
    ) -> Tensor:
        """A view drawn for each of some rows, every view as likely: the `own` ones (B, D)."""
        return self.select(to_device(self.draw_views(rows, generator)[own], device))

    def draw_views(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Indices (B,), on the CPU, among all N * V views: one of each row, every one as likely."""
        count, first = self.values.shape[1], 0 if self.clean_is_drawn else 1
        return rows * count + torch.randint(first, count, (len(rows),), generator=generator)

    def select(self, views: Tensor) -> Tensor:
        """The features (B, D) of views, by their indices (B,) on the device of the features."""
        return self.values.flatten(0, 1).index_select(0, views)

    def subset(self, rows: NDArray[np.int64]) -> FeatureInput:
        """The features of these rows."""
        return replace(self, values=self.values[torch.from_numpy(rows).to(self.values.device)])


@dataclass(frozen=True)
class ImageInput:
    """Some `rows` of the decoded pictures, for an image encoder that is trained.

    With `augment.views` above 1, every picture is augmented anew each time that it is drawn.
    """

    pictures: Pictures
    rows: NDArray[np.int64]
    encoder: VisionEncoder
    augment: Augment

    def eval_batch(self, rows: slice, device: torch.device) -> Tensor:
        """Standardised pictures (B, 3, H, W)."""
        return standardise(self.encoder, self._read(self.rows[rows], device))

    def train_batch(
        self, rows: Tensor, generator: torch.Generator, device: torch.device, own: slice = ALL
    ) -> Tensor:
        """Standardised pictures (B, 3, H, W) of the `own` rows, cropped and flipped at random."""
        pictures = self._read(self.rows[rows.numpy()[own]], device)
        if self.augment.views > 1:
            pictures = augmented(
                pictures,
                generator,
                padding=self.augment.padding,
                horizontal_flip=self.augment.horizontal_flip,
                vertical_flip=self.augment.vertical_flip,
                share=(own, len(rows)),
            )
        return standardise(self.encoder, pictures)

    def subset(self, rows: NDArray[np.int64]) -> ImageInput:
        """The pictures of these rows."""
        return replace(self, rows=self.rows[rows])

    def _read(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        return rows_to_device(self.pictures, rows, device)


@dataclass(frozen=True)
class CaptionInput:
    """The captions of each sample for a text encoder that is trained, padded by batch."""

    captions: Sequence[Sequence[str]]
    encoder: TextEncoder

    def eval_batch(self, rows: slice, device: torch.device) -> dict[str, Tensor] | Several:
        """Token ids, attention mask and the like, each (B, T); of all captions of each sample."""
        captions = self.captions[rows]
        tokens = self._tokens([text for own in captions for text in own], device)
        if all(len(own) == 1 for own in captions):
            return tokens
        return Several(tokens, to_device(torch.tensor([len(own) for own in captions]), device))

    def train_batch(
        self, rows: Tensor, generator: torch.Generator, device: torch.device, own: slice = ALL
    ) -> dict[str, Tensor]:
        """The same, of a caption drawn for each sample, every one as likely; the `own` ones."""
        captions = [self.captions[i] for i in rows.tolist()]
        if any(len(own) > 1 for own in captions):
            drawn = torch.rand(len(rows), generator=generator).tolist()
            texts = [own[int(x * len(own))] for own, x in zip(captions, drawn, strict=True)]
        else:
            texts = [own[0] for own in captions]
        return self._tokens(texts[own], device)

    def subset(self, rows: NDArray[np.int64]) -> CaptionInput:
        """The captions of these rows."""
        return replace(self, captions=[self.captions[i] for i in rows])

    def _tokens(self, captions: Sequence[str], device: torch.device) -> dict[str, Tensor]:
        tokens = self.encoder.tokenize(captions)
        return {name: to_device(value, device) for name, value in tokens.items()}


@dataclass(frozen=True)
class TrainingSet:
    """N examples: ids, an input for each modality, and labels (N, L)."""

    ids: Sequence[str]
    inputs: Mapping[str, ModalityInput]
    labels: Tensor

    def __len__(self) -> int:
        """N."""
        return len(self.ids)

    @property
    def are_features(self) -> bool:
        """Whether all inputs are features beforehand, which take no time to draw."""
        return all(isinstance(source, FeatureInput) for source in self.inputs.values())

    def eval_batch(self, rows: slice) -> tuple[dict[str, Any], Tensor]:
        """Inputs of some rows by modality, not augmented, and their labels."""
        device = self.labels.device
        inputs = {name: source.eval_batch(rows, device) for name, source in self.inputs.items()}
        return inputs, self.labels[rows]

    def train_batch(
        self, rows: Tensor, generator: torch.Generator, share: Share = ALONE
    ) -> tuple[dict[str, Any], Tensor]:
        """Inputs of some rows (on the CPU) by modality, drawn at random, and their labels.

        The inputs are those of this process's share, the labels those of all rows.
        """
        device, own = self.labels.device, share.rows(len(rows))
        inputs = {
            name: source.train_batch(rows, generator, device, own)
            for name, source in self.inputs.items()
        }
        return inputs, self.labels[to_device(rows, device)]

    def train_feature_batches(
        self, batches: Sequence[Tensor], generator: torch.Generator, share: Share = ALONE
    ) -> Generator[tuple[dict[str, Any], Tensor], None, None]:
        """What `train_batch` gives of each batch, where all inputs are features.

        All is drawn beforehand and moved to the device at once.
        """
        inputs = {
            name: source for name, source in self.inputs.items() if isinstance(source, FeatureInput)
        }
        drawn = [
            [rows, *(source.draw_views(rows, generator) for source in inputs.values())]
            for rows in batches
        ]
        sizes = [len(rows) for rows in batches]
        # Row numbers first, then the views of each input, each for all batches.
        rows_by_batch, *views_by_input = (
            torch.split(to_device(torch.cat(indices), self.labels.device), sizes)
            for indices in zip(*drawn, strict=True)
        )
        for rows, *views in zip(rows_by_batch, *views_by_input, strict=True):
            own = share.rows(len(rows))
            selected = {
                name: source.select(of_input[own])
                for (name, source), of_input in zip(inputs.items(), views, strict=True)
            }
            yield selected, self.labels[rows]
