"""Which settings of a composed configuration a run uses: what is logged of it as parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmclf.config.components import MODALITIES

# Of where runs are logged and kept, and of other runs.
NOT_OF_THE_RUN = ("tracking.", "store.", "study", "study.", "hydra.")
GRANTS = ("allow_targets", "allow_env", "allow_model_types")  # used where they allow something
# Encoders that no precision and no batch is for.
NO_NETWORK = (None, "mmclf.models.tfidf.Tfidf", "mmclf.models.constant.Constant")
OF_IMAGES = ("image.", "augment.", "data.on_bad_image", "encode.workers")
OF_VIEWS = ("augment.padding", "augment.horizontal_flip", "augment.vertical_flip", "augment.seed")


def used_settings(
    tree: Mapping[str, Any], *, own_val: bool = False, own_test: bool = False
) -> dict[str, Any]:
    """The settings of a composed configuration that the run uses, by dotted key.

    Two runs then differ in these alone if they differ in anything: of a run without images neither
    the size of images is there, nor of a frozen encoder its learning rate.

    Args:
        tree: the configuration; parts of it may be missing.
        own_val: whether the source has a validation set of its own.
        own_test: likewise a test set.

    """
    unused = set(_unused(tree, own_val=own_val, own_test=own_test))
    nodes = tuple(key for key in unused if key.endswith("."))
    return {
        key: value
        for key, value in flatten(tree)
        if key not in unused and not key.startswith(nodes) and (key not in GRANTS or value)
    }


def flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tree by dotted key."""
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _unused(tree: Mapping[str, Any], *, own_val: bool, own_test: bool) -> Iterator[str]:
    """The keys that the run does not use, and nodes, which end with a dot."""
    yield from NOT_OF_THE_RUN
    encoders = {name: tree[name] for name in MODALITIES if name in tree}
    for name, encoder in encoders.items():
        yield from _unused_of_encoder(name, encoder)
    left_out = [name for name, encoder in encoders.items() if encoder.get("_target_") is None]
    if not any(_is_frozen_network(encoder) for encoder in encoders.values()):
        yield from ("encode.batch_size", "encode.precision")
    if "vision" in left_out:
        yield from OF_IMAGES
    if "text" in left_out:
        yield "data.caption_order"
    if tree.get("augment", {}).get("views") == 1:
        yield from OF_VIEWS
    yield from _unused_of_split(own_val=own_val, own_test=own_test)


def _unused_of_encoder(name: str, encoder: Mapping[str, Any]) -> Iterator[str]:
    if encoder.get("_target_") is None:
        yield from (f"{name}.", f"at_test.{name}")
    if not encoder.get("trainable", False):
        yield f"{name}.lr"
    if encoder.get("weights", "package") not in ("package", "random"):
        yield from (f"{name}.package", f"{name}.package.")


def _is_frozen_network(encoder: Mapping[str, Any]) -> bool:
    return not encoder.get("trainable", False) and encoder.get("_target_") not in NO_NETWORK


def _unused_of_split(*, own_val: bool, own_test: bool) -> Iterator[str]:
    # split.test_seed stays: which test set it is, it says, drawn or not.
    if own_val:
        yield "split.val"
    if own_test:
        yield "split.test"
    if not (own_val or own_test):
        yield "split.on_shared_group"
