"""The settings that mmclf itself owns, with their types and bounds.

What a `_target_` takes is described by that target's own signature, so the nodes of such parts
(data, vision, text, fusion, loss, threshold, optimizer) are plain mappings here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

Count = Annotated[int, Field(ge=1, strict=True)]
NonNegative = Annotated[int, Field(ge=0, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Probability = Annotated[float, Field(ge=0, le=1, strict=True)]
Share = Annotated[float, Field(gt=0, lt=1, strict=True)]
Text = Annotated[str, Field(min_length=1)]
Node = dict[str, Any]


@dataclass(frozen=True)
class Split:
    """Which samples train, validate and test; shares of the labelled samples."""

    method: Literal["iterative"]
    val: Share
    test: Share
    test_seed: Seed


@dataclass(frozen=True)
class Image:
    """The picture that an encoder sees: `size` pixels high and wide."""

    size: Annotated[int, Field(ge=16, le=4096, strict=True)]


@dataclass(frozen=True)
class Augment:
    """Augmented views of the training images; `padding` in pixels, flips as probabilities."""

    views: Count
    padding: NonNegative
    horizontal_flip: Probability
    vertical_flip: Probability
    seed: Seed


@dataclass(frozen=True)
class Head:
    """The layers after the fusion: `hidden` wide, or a linear head without."""

    hidden: Count | None
    dropout: Annotated[float, Field(ge=0, lt=1, strict=True)]


@dataclass(frozen=True)
class Encode:
    """How frozen encoders are run."""

    batch_size: Count
    precision: Literal["auto", "fp32", "bf16"]
    workers: Count | None


@dataclass(frozen=True)
class Trainer:
    """How the head is fitted, and the metric whose best epoch is kept."""

    epochs: Count
    batch_size: Count
    monitor: Literal["val/loss", "val/map", "val/f1_samples_fitted"]


@dataclass(frozen=True)
class Tracking:
    """The MLflow database and experiment, and the sweep's run that this run belongs to."""

    uri: Text
    experiment: Text
    parent: str | None


@dataclass(frozen=True)
class Store:
    """The folder of stage results and of the demo data."""

    dir: Text


@dataclass(frozen=True)
class Config:
    """One run, checked: nothing below the check sees another form of it."""

    data: Node
    split: Split
    image: Image
    augment: Augment
    vision: Node
    text: Node
    fusion: Node
    loss: Node
    threshold: Node
    optimizer: Node
    trainer: Trainer
    tracking: Tracking
    seed: Seed
    device: Text
    output_dir: Text
    allow_targets: list[str]
    head: Head
    encode: Encode
    store: Store


@dataclass(frozen=True)
class Composed:
    """A checked config, the level of each group, the overrides it came from, and its plain form."""

    config: Config
    choices: dict[str, str]
    overrides: list[str]
    tree: dict[str, Any]
