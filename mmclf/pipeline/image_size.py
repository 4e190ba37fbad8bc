"""What `image.size=auto` stands for: the size in pixels that the image encoder was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mmclf.config.schema import Composed, Config
from mmclf.errors import InputError
from mmclf.models.identity import TIMM, version
from mmclf.storage.store.json_cache import JsonCache


def with_image_size(composed: Composed) -> Composed:
    """The configuration with a size in pixels, which is what is tracked; raises as `sized`.

    Without an image encoder nothing is decoded, and `auto` remains.
    """
    config = resolved(composed.config)
    image = {**composed.tree["image"], "size": config.image.size}
    return replace(composed, config=config, tree={**composed.tree, "image": image})


def resolved(config: Config) -> Config:
    """The config alone, as `with_image_size`."""
    return config if config.vision.is_none else sized(config)


def sized(config: Config) -> Config:
    """The config with a size in pixels; raises InputError where `auto` stands for none."""
    if config.image.size != "auto":
        return config
    return replace(config, image=replace(config.image, size=trained_pixels(config)))


def check_one_size(configs: Mapping[str, Config]) -> None:
    """Raise InputError if `auto` stands for several sizes in configs, which are given by name.

    All images would be decoded and stored once for each of them, and what is compared would differ
    in the images too.
    """
    sizes = {
        name: trained_pixels(config)
        for name, config in configs.items()
        if config.image.size == "auto" and not config.vision.is_none
    }
    first = {size: name for name, size in reversed(sizes.items())}
    if len(first) > 1:
        listed = ", ".join(f"{first[size]} {size}" for size in sorted(first))
        raise InputError(
            f"image.size=auto stands for several sizes here ({listed}), and images would be stored "
            "in each of them: give one for all, image.size=N, or do the encoders one by one"
        )


def trained_pixels(config: Config) -> int:
    """The size that the image encoder was trained on; raises InputError where none is known."""
    node = config.vision.part
    if node["_target_"] != TIMM:
        what = (
            "there is no image encoder"
            if config.vision.is_none
            else f"{node['_target_']} does not say what it was trained on, as timm's models do"
        )
        raise InputError(f"image.size=auto: {what}: give image.size=N, in pixels")
    height, width = _trained_size(node["name"], Path(config.store.dir))
    if height != width:
        raise InputError(
            f"image.size=auto: {node['name']!r} was trained on {height} x {width} pixels, and "
            "images are decoded to squares: give image.size=N"
        )
    return height


def _trained_size(name: str, store: Path) -> tuple[int, int]:
    def compute() -> tuple[int, int]:
        # Late: docs/architecture.md#late-imports
        from mmclf.models.vision import trained_size

        return trained_size(name)

    cache = JsonCache(store / "memory" / "hub.json")
    height, width = cache.get_or_compute(f"size of {name} in timm {version('timm')}", compute)
    return int(height), int(width)
