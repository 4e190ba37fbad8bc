"""What is in the key of each stage's result: all that decides it, and nothing else.

Not in them: device, workers, batch size of encoding, places, tracking, progress.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from mmclf.config.schema import Augment, Config
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.models.identity import Identities, Identity, version, versions
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.hashing import array_digest, digest, texts_digest

# Raise one when its stage computes something else of the same arguments.
VISION, TEXT, FIT, TESTED, DECIDE = 1, 1, 1, 1, 1
CLEAN = 0


def data_digest(samples: Samples) -> str:
    """What a data set is, whatever becomes of it: its ids, captions and labels."""
    return digest(
        {
            "ids": texts_digest(samples.ids),
            # In any order: an arm may have them shuffled among the samples.
            "captions": texts_digest(sorted(samples.captions)),
            "labels": array_digest(samples.labels),
            "names": list(samples.label_names),
        }
    )


def vision_stages(
    identity: Identity,
    pictures: Stage,
    unreadable: Collection[int],
    samples: Samples,
    augment: Augment,
    precision: str,
) -> tuple[Stage, ...]:
    """The features of every view of the pictures; what the views look like is no matter of view 0.

    The source's own test samples have the clean view alone: nothing trains on them. Rows that are
    `unreadable` have no features; a file can be out of reach for a while, its content the same.
    """
    clean = {
        "encoder": identity.about,
        "pictures": pictures.key,
        "unreadable": sorted(unreadable),
        "precision": precision,
        "view": CLEAN,
    }
    look = {
        "padding": augment.padding,
        "horizontal_flip": augment.horizontal_flip,
        "vertical_flip": augment.vertical_flip,
        "seed": augment.seed,
        "left_out": array_digest(samples.own_test),
    }
    views = [clean, *(clean | {"view": view, "look": look} for view in range(1, augment.views))]
    return tuple(Stage("vision", VISION, arguments) for arguments in views)


def text_stage(identity: Identity, samples: Samples, parts: Parts, precision: str) -> Stage:
    """The features of the captions; the training samples count if the encoder learns from them."""
    arguments: dict[str, Any] = {
        "encoder": identity.about,
        "captions": texts_digest(samples.captions),
        "precision": precision,
    }
    if identity.is_fitted:
        arguments["train"] = array_digest(parts.train)
    elif identity.takes_captions:
        arguments["train"] = texts_digest(samples.captions[i] for i in parts.train)
    return Stage("text", TEXT, arguments)


def fit_stage(
    config: Config,
    samples: Samples,
    parts: Parts,
    inputs: Mapping[str, Any],
    identities: Identities,
    empty: str,
) -> Stage:
    """The trained model and its logits.

    `inputs`, by modality: the keys of its features, or what is known of its raw inputs. `empty`,
    what becomes of a prediction without labels, counts where it chooses the epoch.
    """
    trainer = config.trainer
    arguments = {
        "inputs": inputs,
        "labels": array_digest(samples.labels),
        "parts": {name: array_digest(rows) for name, rows in parts.items()},
        "fusion": identities.part(config.fusion),
        "head": asdict(config.head),
        "loss": identities.part(config.loss),
        "optimizer": identities.part(config.optimizer),
        "scheduler": identities.part(config.scheduler),
        "trainer": asdict(trainer),
        "empty": empty if trainer.monitor == "val/f1_samples_fitted" else None,
        "seed": config.seed,
        **versions("torch"),
    }
    return Stage("fit", FIT, arguments)


def raw_pictures(identity: Identity, pictures: Stage, config: Config) -> dict[str, Any]:
    """What is known of an image encoder that is trained, and of what it is given."""
    look: dict[str, Any] | None = None
    if config.augment.views > 1:
        look = {
            "padding": config.augment.padding,
            "horizontal_flip": config.augment.horizontal_flip,
            "vertical_flip": config.augment.vertical_flip,
        }
    return {
        "encoder": identity.about,
        "pictures": pictures.key,
        "look": look,
        "lr": config.vision.lr,
    }


def raw_captions(
    identity: Identity, samples: Samples, parts: Parts, config: Config
) -> dict[str, Any]:
    """What is known of a text encoder that is trained, and of what it is given."""
    return {
        "encoder": identity.about,
        "captions": texts_digest(samples.captions),
        "train": texts_digest(samples.captions[i] for i in parts.train)
        if identity.takes_captions
        else None,
        "lr": config.text.lr,
    }


def tested_stage(config: Config, fit: Stage) -> Stage | None:
    """The test set's logits with modalities dropped or shuffled, or None where none is."""
    changes = config.at_test.changes
    if not changes:
        return None
    arguments = {
        "fit": fit.key,
        "changes": changes,
        "seed": config.seed if "shuffled" in changes.values() else None,
    }
    return Stage("tested", TESTED, arguments)


def decide_stage(
    config: Config, fit: Stage, tested: Stage | None, samples: Samples, identities: Identities
) -> Stage:
    """The thresholds and all scores; `tested` where the test set's logits are not the fit's."""
    arguments = {
        "fit": fit.key,
        "threshold": identities.part(config.threshold),
        "label_names": list(samples.label_names),
        **versions("scikit-learn"),
    }
    if tested is not None:
        arguments["tested"] = tested.key
    return Stage("decide", DECIDE, arguments)


def precision_name(identity: Identity, size: int | None, hardware: str) -> str:
    """Under what the precision of an encoder is remembered; `size` of pictures, in pixels."""
    told = "" if size is None else f", {size} px"
    return f"{digest(identity.about)}{told} on {hardware}, torch {version('torch')}"
