"""The modalities of a run: what each reads, and what is in the keys of its stages.

Nothing here needs torch; how a modality is encoded and trained on is in `mmclf.training`.
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

# Raise one when encoding computes something else of the same arguments.
VISION_VERSION, TEXT_VERSION = 1, 1
CLEAN_VIEW = 0


class Modality(Protocol):
    """What a run knows of a modality before anything of it is computed."""

    def feature_stages(
        self, config: Config, data: RunData, identity: Identity, precision: str
    ) -> tuple[Stage, ...]:
        """The features of a frozen encoder, a stage for each view, view 0 the clean one."""

    def raw_input(self, config: Config, data: RunData, identity: Identity) -> dict[str, Any]:
        """What is in a fit's key of an encoder that is trained, and of what it reads."""

    def input_size(self, config: Config) -> int | None:
        """The size in pixels of what the encoder reads, None where it has none."""


class Vision:
    """Images, decoded to one array."""

    def feature_stages(
        self, config: Config, data: RunData, identity: Identity, precision: str
    ) -> tuple[Stage, ...]:
        """A stage a view; what the views look like is no matter of view 0.

        The source's own test samples have the clean view alone: nothing trains on them. Images that
        are unreadable have no features; a file can be out of reach for a while, its content the
        same.
        """
        images = images_of(data)
        clean = {
            "encoder": identity.values,
            "pictures": images.stage.key,
            "unreadable": sorted(images.unreadable),
            "precision": precision,
            "view": CLEAN_VIEW,
        }
        look = {
            **_look(config.augment),
            "seed": config.augment.seed,
            "left_out": array_digest(data.samples.own_test),
        }
        views = range(1, config.augment.views)
        arguments = [clean, *(clean | {"view": view, "look": look} for view in views)]
        return tuple(Stage("vision", VISION_VERSION, each) for each in arguments)

    def raw_input(self, config: Config, data: RunData, identity: Identity) -> dict[str, Any]:
        """The decoded images, and how they are augmented anew each time."""
        return {
            "encoder": identity.values,
            "pictures": images_of(data).stage.key,
            "look": _look(config.augment) if config.augment.views > 1 else None,
            "lr": config.vision.lr,
        }

    def input_size(self, config: Config) -> int | None:
        """The images' size in pixels."""
        return config.image.size


class Text:
    """Captions."""

    def feature_stages(
        self, config: Config, data: RunData, identity: Identity, precision: str
    ) -> tuple[Stage, ...]:
        """One stage; the training samples count if the encoder learns from them."""
        del config  # captions have one view
        arguments: dict[str, Any] = {
            "encoder": identity.values,
            "captions": texts_digest(data.samples.captions),
            "precision": precision,
        }
        if identity.is_fitted:
            arguments["train"] = array_digest(data.parts.train)
        elif identity.takes_captions:
            arguments["train"] = _train_captions(data)
        return (Stage("text", TEXT_VERSION, arguments),)

    def raw_input(self, config: Config, data: RunData, identity: Identity) -> dict[str, Any]:
        """The captions."""
        return {
            "encoder": identity.values,
            "captions": texts_digest(data.samples.captions),
            "train": _train_captions(data) if identity.takes_captions else None,
            "lr": config.text.lr,
        }

    def input_size(self, config: Config) -> int | None:
        """None: captions are as long as they are."""
        del config
        return None


# In the order of the fusion.
MODALITIES: Mapping[str, Modality] = {"vision": Vision(), "text": Text()}


def images_of(data: RunData) -> DecodedImages:
    """The images of a run that looks at some."""
    assert data.images is not None
    return data.images


def _look(augment: Augment) -> dict[str, Any]:
    return {
        "padding": augment.padding,
        "horizontal_flip": augment.horizontal_flip,
        "vertical_flip": augment.vertical_flip,
    }


def _train_captions(data: RunData) -> str:
    return texts_digest(data.samples.captions[i] for i in data.parts.train)
