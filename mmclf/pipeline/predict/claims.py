"""How large a run's model claims to be, held against its weights before anything is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import torch
from torch import nn

from mmclf.config.schema import Head, Node
from mmclf.errors import InputError, first_line
from mmclf.models.architecture import without_written
from mmclf.models.build import make_model
from mmclf.models.text_weights import architecture_parameters

MOST_LAYERS = 1000  # of a text model, which are built one by one
# Of a frozen encoder with random weights, which are drawn and not in the run's files: 2 GB.
RANDOM_PARAMETERS = 2**29
OWN = "mmclf."


class EncoderClaims(Protocol):
    """What an encoder of a run says of itself."""

    @property
    def out_dim(self) -> int:
        """The width of its features."""

    @property
    def trained(self) -> bool:
        """Whether its weights are among the run's."""

    @property
    def architecture(self) -> Node | None:
        """The settings of a text model without pretrained weights."""


class ModelClaims(Protocol):
    """What a run's model says of itself."""

    @property
    def label_ids(self) -> list[str]:
        """Of the L labels."""

    @property
    def fusion(self) -> Node:
        """The node of the fusion."""

    @property
    def head(self) -> Head:
        """The head's settings."""

    @property
    def encoders(self) -> Mapping[str, EncoderClaims]:
        """By modality."""


def check_encoders(
    model: ModelClaims, weights: int, where: object, model_types: Sequence[str] = ()
) -> None:
    """Raise InputError for an encoder that would have more parameters than there are weights.

    Args:
        model: what it claims.
        weights: how many numbers its files hold.
        where: the model's folder, for messages.
        model_types: of transformers, that are allowed beside MODEL_TYPES.

    """
    for name, encoder in model.encoders.items():
        if encoder.architecture is None:
            continue
        deep = [pair for pair in _layers(encoder.architecture) if pair[1] > MOST_LAYERS]
        if deep:
            key, count = deep[0]
            raise InputError(
                f"{where}: {name}: the architecture has {key}={count}, expected at most "
                f"{MOST_LAYERS}: do the run again, or restore the files"
            )
        most = weights if encoder.trained else RANDOM_PARAMETERS
        settings = without_written(encoder.architecture)
        _check(architecture_parameters(settings, model_types), most, f"{where}: {name}")


def check_classifier(model: ModelClaims, weights: int, where: object, allow: Sequence[str]) -> None:
    """Raise InputError, as `check_encoders`, for a fusion and head; one of the user's is not tried.

    `allow`: modules of the user.
    """
    if not str(model.fusion.get("_target_", "")).startswith(OWN):
        return
    what = f"{where}: fusion and head"
    try:
        parameters = _classifier_parameters(model, allow)
    # Of torch's, for widths that no number of 64 bits holds.
    except (RuntimeError, TypeError, OverflowError) as error:
        raise InputError(
            f"{what}: the settings make no model ({first_line(error)}): do the run again, or "
            "restore the files"
        ) from error
    _check(parameters, weights, what)


def _layers(settings: object) -> Iterator[tuple[str, int]]:
    """The settings that say how many layers there are, at any depth."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if "layer" in str(key) and isinstance(value, int):
                yield str(key), value
            yield from _layers(value)


def _classifier_parameters(model: ModelClaims, allow: Sequence[str]) -> int:
    dims = {name: encoder.out_dim for name, encoder in model.encoders.items()}
    with torch.device("meta"):  # shapes alone, without memory
        built = make_model(model.fusion, model.head, dims, {}, len(model.label_ids), allow)
    return count_parameters(built)


def count_parameters(module: nn.Module) -> int:
    """How many numbers a module's parameters are."""
    return sum(parameter.numel() for parameter in module.parameters())


def _check(parameters: int, most: int, what: str) -> None:
    if parameters > most:
        raise InputError(
            f"{what}: the settings make {parameters:,} parameters, expected at most the {most:,} "
            "that there are weights for: do the run again, or restore the files"
        )
