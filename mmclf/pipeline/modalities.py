"""The modalities of a run and the keys of their stages.

Nothing here imports torch; what a modality does with it is in `mmclf.pipeline.encodings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mmclf.config.schema import Augment, Config
from mmclf.data.decoded_images import DecodedImages
from mmclf.models.identity import Identity
from mmclf.pipeline.run_data import RunData
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.hashing import array_digest, texts_digest

CLEAN_VIEW = 0


class Modality(Protocol):
    """A modality and the keys of its stages.

    Attributes:
        version: raised when encoding computes something else from the same arguments.
        inputs: what is encoded, in the tracked speed `speed/{inputs}_per_s`.

    """

    version: int
    inputs: str

    def feature_stages(
        self, config: Config, data: RunData, identity: Identity, precision: str
    ) -> tuple[Stage, ...]:
        """The stages of a frozen encoder's features, one for each view; view 0 is not augmented."""

    def raw_input(self, config: Config, data: RunData, identity: Identity) -> dict[str, Any]:
        """The arguments in a fit's key for a trained encoder and the inputs that it reads."""

    def input_size(self, config: Config) -> int | None:
        """The size in pixels of the encoder's inputs, or None."""

    def has_mean_view(self, data: RunData) -> bool:
        """Whether the mean of a sample's views is evaluated, rather than view 0."""


class VisionModality:
    """The stages of images."""

    version = 1
    inputs = "images"

    def feature_stages(
        self, config: Config, data: RunData, identity: Identity, precision: str
    ) -> tuple[Stage, ...]:
        """A stage for each view; settings of the augmentation are not in the key of view 0.

        The source's own test samples have only the clean view, as nothing trains on them.
        Unreadable images have no features; they are in the key, as a file can be unavailable for a
        while though its content does not change.
        """
        images = images_of(data)
        clean = {
            "encoder": identity.values,
            "pictures": images.stage.key,
            "unreadable": sorted(images.unreadable),
            "precision": precision,
            "view": CLEAN_VIEW,
        }
        augmentation = {
            **_augmentation_settings(config.augment),
            "seed": config.augment.seed,
            "left_out": array_digest(data.samples.own_test),
        }
        views = range(1, config.augment.views)
        arguments = [clean, *(clean | {"view": view, "look": augmentation} for view in views)]
        return tuple(Stage("vision", self.version, values) for values in arguments)

    def raw_input(self, config: Config, data: RunData, identity: Identity) -> dict[str, Any]:
        """The key of the decoded images, and the settings of their augmentation."""
        return {
            "encoder": identity.values,
            "pictures": images_of(data).stage.key,
            "look": _augmentation_settings(config.augment) if config.augment.views > 1 else None,
            "lr": config.vision.lr,
        }

    def input_size(self, config: Config) -> int | None:
        """The images' size in pixels."""
        return config.image.pixels

    def has_mean_view(self, data: RunData) -> bool:
        """No: view 0 is the image as it is."""
        del data
        return False


class TextModality:
    """The stages of captions."""

    version = 1
    inputs = "captions"

    def feature_stages(
        self, config: Config, data: RunData, identity: Identity, precision: str
    ) -> tuple[Stage, ...]:
        """A stage for the first caption of each sample, for the second, and so on.

        Its key contains the training samples if the encoder is fitted to them.
        """
        del config
        samples = data.samples
        common: dict[str, Any] = {"encoder": identity.values, "precision": precision}
        if identity.is_fitted:
            common["train"] = array_digest(data.parts.train)
            if samples.other_captions:
                common["train_captions"] = _train_captions(data)
        elif identity.takes_captions:
            common["train"] = _train_captions(data)
        views = range(samples.caption_counts.max())
        arguments = [
            common | {"captions": texts_digest(samples.caption_view(view))} for view in views
        ]
        for values in arguments[1:]:  # evaluation takes the mean of as many as there are
            values["counts"] = array_digest(samples.caption_counts)
        return tuple(Stage("text", self.version, values) for values in arguments)

    def raw_input(self, config: Config, data: RunData, identity: Identity) -> dict[str, Any]:
        """The digest of the captions."""
        samples = data.samples
        views = range(samples.caption_counts.max())
        texts = (text for view in views for text in samples.caption_view(view))
        return {
            "encoder": identity.values,
            "captions": texts_digest(texts),
            **({"counts": array_digest(samples.caption_counts)} if samples.other_captions else {}),
            "train": _train_captions(data) if identity.takes_captions else None,
            "lr": config.text.lr,
        }

    def input_size(self, config: Config) -> int | None:
        """None: captions have no fixed size."""
        del config
        return None

    def has_mean_view(self, data: RunData) -> bool:
        """Whether samples have several captions, each of which is a view."""
        return bool(data.samples.other_captions)


# In the order of the fusion.
MODALITIES: Mapping[str, Modality] = {"vision": VisionModality(), "text": TextModality()}


def images_of(data: RunData) -> DecodedImages:
    """The images of a run that uses images."""
    assert data.images is not None
    return data.images


def _augmentation_settings(augment: Augment) -> dict[str, Any]:
    return {
        "padding": augment.padding,
        "horizontal_flip": augment.horizontal_flip,
        "vertical_flip": augment.vertical_flip,
    }


def _train_captions(data: RunData) -> str:
    return texts_digest(text for row in data.parts.train for text in data.samples.captions_of(row))
