"""Vision encoders of timm: from standardised images (B, 3, H, W) to features (B, D)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from mmclf.errors import InputError, suggestion
from mmclf.models import weights as weights_file
from mmclf.models.hub import TIMM_FILES, hub_folder
from mmclf.models.package import package_path


class TimmEncoder(nn.Module):
    """An image model of timm without its classifier.

    Raises InputError for an unknown name, and for weights that are missing or do not fit.

    Args:
        name: of the model in timm.
        weights: `hub`, `random` (from a fixed seed), `package`, or the path of a checkpoint file,
            with or without a classifier.
        package: `distribution`, `path` and `sha256` of weights in an installed package.

    Attributes:
        out_dim: the width D of the features.
        mean: of the channels, for standardisation as in pretraining.
        std: of the channels, for standardisation as in pretraining.

    """

    def __init__(
        self, name: str, weights: str = "hub", package: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        _check_name(name)
        self.model = _create(name, weights, package)
        self.out_dim = _out_dim(self.model)
        settings = timm.data.resolve_model_data_config(self.model)
        self.mean: tuple[float, ...] = tuple(settings["mean"])
        self.std: tuple[float, ...] = tuple(settings["std"])

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (B, D) of standardised pictures (B, 3, H, W)."""
        features: Tensor = self.model(pictures)
        return features


def _check_name(name: str) -> None:
    names = timm.list_models() + timm.list_pretrained()
    if name not in names:
        raise InputError(f"vision.name: timm has no model {name!r}: {_name_hint(name, names)}")


def _name_hint(name: str, names: list[str]) -> str:
    text = suggestion(name, names)
    return text.partition(" valid: ")[0] if "did you mean" in text else "see timm.list_models()"


def _create(name: str, weights: str, package: Mapping[str, str] | None) -> nn.Module:
    if weights == "hub":
        return _from_hub(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if weights == "package":
            return _from_package(name, package)
        model: nn.Module = timm.create_model(name, num_classes=0)
        if weights != "random":
            path = Path(weights)
            state = weights_file.read_state(path)
            classifier = _classifier_prefixes(model)
            state = {k: v for k, v in state.items() if not k.startswith(classifier)}
            weights_file.load_exactly(model, state, path)
        return model


def hub_repository(name: str) -> str:
    """The hub repository with the pretrained weights of timm's model `name`."""
    settings = timm.models.get_pretrained_cfg(name)
    if settings is None or not settings.hf_hub_id:
        raise InputError(
            f"vision.name: there are no pretrained weights of {name!r} on the hub: choose "
            "vision.weights=random or the path of a checkpoint"
        )
    if settings.hf_hub_id == "timm/":
        return f"timm/{settings.architecture}.{settings.tag}"
    return str(settings.hf_hub_id)


def trained_size(name: str) -> tuple[int, int]:
    """Height and width in pixels of the images that timm's model `name` was trained on.

    Raises InputError for an unknown name, and where timm does not say.
    """
    _check_name(name)
    settings = timm.models.get_pretrained_cfg(name)
    if settings is None or settings.input_size is None:
        raise InputError(
            f"image.size=auto: timm does not say what {name!r} was trained on: give image.size=N"
        )
    _, height, width = settings.input_size
    return int(height), int(width)


def _from_hub(name: str) -> nn.Module:
    file = hub_folder(hub_repository(name), TIMM_FILES) / "model.safetensors"
    model: nn.Module = timm.create_model(
        name, pretrained=True, num_classes=0, pretrained_cfg_overlay={"file": str(file)}
    )
    return model


def _from_package(name: str, package: Mapping[str, str] | None) -> nn.Module:
    path = package_path(package)
    model = timm.create_model(name)
    state = weights_file.read_state(path)
    classifier = _classifier_prefixes(model)
    if len(state) == sum(not key.startswith(classifier) for key in model.state_dict()):
        model.reset_classifier(0)  # the file has no classifier
    model.load_state_dict(weights_file.rename_by_order(state, model, path))
    model.reset_classifier(0)
    encoder: nn.Module = model
    return encoder


def _classifier_prefixes(model: nn.Module) -> tuple[str, ...]:
    classifier = model.pretrained_cfg.get("classifier", ())  # type: ignore[union-attr, operator]
    return tuple(
        f"{name}." for name in ((classifier,) if isinstance(classifier, str) else classifier)
    )


def _out_dim(model: nn.Module) -> int:
    # num_features is the width before the last convolution of some heads.
    width = getattr(model, "head_hidden_size", None)
    return int(width if width is not None else model.num_features)  # type: ignore[arg-type]
