from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mmclf
from mmclf.pipeline.used_settings import flatten, used_settings

BOTH = ["vision=efficientnet_lite0", "text=minilm"]


def used(*overrides: str, **parts: bool) -> set[str]:
    """The settings that a run of these overrides uses."""
    return set(used_settings(mmclf.compose([*overrides]).tree, **parts))


def test_a_run_without_images_has_no_settings_of_images() -> None:
    settings = used("vision=none", "text=minilm", "augment=crop_flip")
    assert not {key for key in settings if key.startswith(("image.", "augment.", "vision."))}
    assert not settings & {"at_test.vision", "data.on_bad_image", "encode.workers"}
    assert {"text.name", "at_test.text", "encode.batch_size", "data.caption_order"} <= settings


def test_a_run_without_captions_has_no_settings_of_captions() -> None:
    settings = used("vision=efficientnet_lite0", "text=none")
    assert not {key for key in settings if key.startswith("text.")}
    assert not settings & {"at_test.text", "data.caption_order"}
    assert {"vision.name", "image.size", "data.on_bad_image", "encode.workers"} <= settings


def test_a_learning_rate_of_an_encoder_is_that_of_a_trained_one() -> None:
    assert not used(*BOTH) & {"vision.lr", "text.lr"}
    trained = used(*BOTH, "vision.trainable=true")
    assert "vision.lr" in trained
    assert "text.lr" not in trained


def test_how_frozen_networks_are_run_counts_where_there_is_one() -> None:
    keys = {"encode.batch_size", "encode.precision"}
    assert keys <= used(*BOTH)
    assert keys <= used(*BOTH, "vision.trainable=true")
    assert not keys & used(*BOTH, "vision.trainable=true", "text.trainable=true")
    assert not keys & used("vision=none", "text=tfidf")


def test_what_views_look_like_counts_where_there_are_some() -> None:
    looks = {"augment.padding", "augment.horizontal_flip", "augment.vertical_flip", "augment.seed"}
    assert not looks & used(*BOTH, "augment=none")
    assert looks <= used(*BOTH, "augment=crop_flip")
    assert "augment.views" in used(*BOTH, "augment=none")


def test_shares_of_parts_that_the_source_has_are_not_used() -> None:
    shares = {"split.val", "split.test", "split.on_shared_group"}
    assert used() & shares == {"split.val", "split.test"}
    assert used(own_test=True) & shares == {"split.val", "split.on_shared_group"}
    assert used(own_val=True) & shares == {"split.test", "split.on_shared_group"}
    assert "split.test_seed" in used(own_test=True, own_val=True)


def test_a_package_of_weights_counts_where_weights_are_of_one() -> None:
    assert {key for key in used(*BOTH) if key.startswith("vision.package.")}
    other = used(*BOTH, "vision.weights=hub")
    assert not {key for key in other if key.startswith("vision.package")}


def test_places_and_grants_are_left_out_unless_something_is_granted() -> None:
    settings = used()
    assert not {
        key for key in settings if key.startswith(("tracking.", "store.", "study", "allow_"))
    }
    assert "allow_targets" in used_settings({"allow_targets": ["mine"]})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(),
    lambda values: st.dictionaries(st.text("abc", min_size=1, max_size=3), values, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["head", "seed", "loss", "trainer", "mine"]), VALUES))
def test_settings_of_other_nodes_are_all_used(tree: dict[str, Any]) -> None:
    assert used_settings(tree) == dict(flatten(tree))


@pytest.mark.parametrize("key", ["study", "study.name", "tracking.uri", "store.dir", "hydra.job"])
def test_what_is_not_of_the_run(key: str) -> None:
    *groups, last = key.split(".")
    tree: dict[str, Any] = {groups[0]: {last: "x"}} if groups else {last: None}
    assert used_settings(tree) == {}
