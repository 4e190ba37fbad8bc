"""The settings that mmclf itself owns, with their types and bounds.

What a `_target_` takes is described by that target's own signature, so the nodes of such parts
(data, vision, text, fusion, loss, threshold, optimizer, scheduler) are plain mappings here; what
mmclf owns in the node of a data source or an encoder stands beside its target's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from mmclf.config.components import MODALITIES
from mmclf.config.setting_types import (
    Count,
    Dropout,
    Flag,
    NonNegative,
    Positive,
    Probability,
    RegisteredName,
    Seed,
    Share,
    Text,
    Views,
    Width,
    Workers,
    in_words,
)
from mmclf.config.study_schema import Study

Node = dict[str, Any]


def _switch(value: object) -> object:
    """YAML takes a bare on or off for true or false."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


@dataclass(frozen=True)
class Split:
    """Which samples train, validate and test; shares of the labelled samples.

    `on_shared_group`: of a group that the source's own parts divide, `error` or `warn`.
    """

    method: Literal["iterative", "random"]
    val: Share
    test: Share
    test_seed: Seed
    on_shared_group: Literal["error", "warn"] = "error"

    @property
    def drawing(self) -> dict[str, Any]:
        """What decides which samples are drawn, beside the seed."""
        return {name: value for name, value in vars(self).items() if name != "on_shared_group"}


@dataclass(frozen=True)
class Source:
    """Where samples come from, and what becomes of an image that is missing or unreadable.

    `caption_order`: each caption with its `own` sample, or `shuffled` within the source's parts.
    """

    on_bad_image: Literal["error", "skip"]
    caption_order: Literal["own", "shuffled"]
    part: Node


@dataclass(frozen=True)
class Encoder:
    """An encoder, frozen or `trainable` with a learning rate `lr` of its own."""

    trainable: Flag
    lr: Positive
    part: Node

    @property
    def is_none(self) -> bool:
        """Whether the modality is left out."""
        return self.part["_target_"] is None


# The keys in these parts' nodes that are mmclf's own, beside those of the `_target_`.
OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    name: tuple(field.name for field in fields(section) if field.name != "part")
    for name, section in {"data": Source, **dict.fromkeys(MODALITIES, Encoder)}.items()
}


def _pixels(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    words = "pixels from 16 to 4096, or auto for what the image encoder was trained on"
    return in_words(value, handler, words)


Pixels = Annotated[int, Field(ge=16, le=4096, strict=True)]


@dataclass(frozen=True)
class Image:
    """The picture that an encoder sees: `size` pixels high and wide.

    `auto` is resolved by `mmclf.pipeline.image_size` before anything is loaded. `crop`: the share
    of the shorter side that a centred square keeps; null for the whole picture.
    """

    size: Annotated[Pixels | Literal["auto"], WrapValidator(_pixels)]
    crop: Annotated[float, Field(gt=0, le=1, strict=True)] | None

    @property
    def pixels(self) -> int:
        """The size, which must have been resolved."""
        assert self.size != "auto"
        return self.size


@dataclass(frozen=True)
class Augment:
    """Augmented views of the training images; `padding` in pixels, flips as probabilities."""

    views: Views
    padding: NonNegative
    horizontal_flip: Probability
    vertical_flip: Probability
    seed: Seed


@dataclass(frozen=True)
class Head:
    """The layers after the fusion: `hidden` wide, or a linear head without, and their dropout."""

    hidden: Width | None
    dropout: Dropout
    input_dropout: Dropout


AtTestValue = Literal["as_is", "dropped", "shuffled"]


@dataclass(frozen=True)
class AtTest:
    """What the test samples show of each modality to the trained model, which stays as it is.

    `dropped`: all of them the training samples' mean feature; `shuffled`: one another's input.
    """

    vision: AtTestValue
    text: AtTestValue

    @property
    def changes(self) -> dict[str, str]:
        """What becomes of each modality that is not left as it is."""
        return {name: value for name, value in vars(self).items() if value != "as_is"}


@dataclass(frozen=True)
class Encode:
    """How frozen encoders are run."""

    batch_size: Count
    precision: Literal["auto", "fp32", "bf16"]
    workers: Workers | None


def _interval(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    words = "epochs from 1 on, null for none, or auto for 1 where an encoder is trained, else none"
    return in_words(value, handler, words)


Interval = Annotated[Count | Literal["auto"] | None, WrapValidator(_interval)]


@dataclass(frozen=True)
class Trainer:
    """How the trained part is fitted, and the metric whose best epoch is kept.

    `accumulate` batches make one step; the gradient's norm is at most `clip_norm`; training stops
    after `patience` epochs without a better one; `refit` trains again on train and val together.
    After every `checkpoint_every` epochs the fit's state is kept until the fit is stored.
    """

    epochs: Count
    batch_size: Count
    accumulate: Count
    clip_norm: Positive | None
    patience: Count | None
    precision: Literal["fp32", "bf16", "fp16"]
    refit: Flag
    monitor: Literal["val/loss", "val/map", "val/f1_samples_fitted"]
    checkpoint_every: Interval = "auto"

    @property
    def fitting(self) -> dict[str, Any]:
        """What decides the result of a fit."""
        return {name: value for name, value in vars(self).items() if name != "checkpoint_every"}


@dataclass(frozen=True)
class Tracking:
    """The MLflow database and experiment; the sweep's run that this run belongs to, and its arm.

    `patience_s`: seconds for which a run keeps what it logs while nobody answers. `patch`: whether
    what is not committed in the user's own working tree is an artifact. `register`: what the model
    is called in the registry, None for not there; `model`: whether frozen encoders are named in it,
    or copied (`full`); `system_metrics`: whether the machine's load is logged; `energy`: whether
    energy is estimated, where codecarbon is installed.
    """

    uri: Text
    experiment: Text
    parent: str | None
    arm: str | None = None
    patience_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 300.0
    patch: Flag = False
    register: RegisteredName | None = None
    model: Literal["light", "full"] = "light"
    system_metrics: Flag = False
    energy: Flag = True


@dataclass(frozen=True)
class StoreSettings:
    """The folder of stage results and of the demo data.

    `remote`: the address of a store behind it, from which results come and to which they go.
    """

    dir: Text
    remote: Text | None = None


@dataclass(frozen=True)
class Config:
    """One run, checked: nothing below the check sees another form of it."""

    data: Source
    split: Split
    image: Image
    augment: Augment
    vision: Encoder
    text: Encoder
    fusion: Node
    loss: Node
    threshold: Node
    optimizer: Node
    scheduler: Node
    trainer: Trainer
    tracking: Tracking
    seed: Seed
    device: Text
    output_dir: Text
    allow_targets: list[str]
    head: Head
    at_test: AtTest
    encode: Encode
    cache: Annotated[Literal["on", "off"], BeforeValidator(_switch)]
    store: StoreSettings
    allow_env: list[str] = field(default_factory=list)
    allow_model_types: list[str] = field(default_factory=list)
    study: Study | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that are not left out, in the order of the fusion."""
        return tuple(name for name in MODALITIES if not self.encoder(name).is_none)

    @property
    def checkpoint_every(self) -> int | None:
        """The epochs between two checkpoints of the fit; None for no checkpoints."""
        every = self.trainer.checkpoint_every
        if every != "auto":
            return every
        return 1 if any(self.encoder(name).trainable for name in self.modalities) else None

    def component(self, group: str) -> Node:
        """The node of a group's component, without the keys that mmclf owns beside it."""
        node: Node | Source | Encoder = getattr(self, group)
        return node.part if isinstance(node, (Source, Encoder)) else node

    def encoder(self, modality: str) -> Encoder:
        """The encoder of a modality."""
        encoder: Encoder = getattr(self, modality)
        return encoder


@dataclass(frozen=True)
class Composed:
    """A checked config, the level of each group, the overrides it came from, and its plain form."""

    config: Config
    choices: dict[str, str]
    overrides: list[str]
    tree: dict[str, Any]
