"""The pooling of a text encoder is in its identity as what `auto` comes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_folders import TEXT_NODE, about, cached, empty_cache, model, new_identities

from mmclf.models.identity import Identities

pytestmark = pytest.mark.usefixtures("no_network")
cache = pytest.fixture(autouse=True)(empty_cache)
identities = pytest.fixture(new_identities)


@pytest.mark.parametrize(
    ("model_type", "resolved"), [("bert", "mean"), ("gpt2", "last"), ("siglip", "pooler")]
)
def test_a_pooling_counts_as_what_it_comes_to(
    identities: Identities, tmp_path: Path, model_type: str, resolved: str
) -> None:
    config = f'{{"model_type": "{model_type}"}}'
    folder = str(model(tmp_path / "model", config=config))
    random = {"architecture": {"model_type": model_type}}
    for node in ({**TEXT_NODE, "weights": folder}, {**TEXT_NODE, **random}):
        actual = {
            pooling: identities.encoder({**node, "pooling": pooling}, "text")
            for pooling in ("auto", "mean", "last", "pooler")
        }
        assert about(actual["auto"])["pooling"] == resolved
        assert [name for name in actual if actual[name] == actual["auto"]] == ["auto", resolved]


def test_a_random_text_model_of_the_hubs_config_waits_for_it(
    identities: Identities, cache: Path
) -> None:
    node = {**TEXT_NODE, "architecture": None, "pooling": "auto"}
    assert identities.encoder(node, "text") is None
    cached(cache, "some/net", config='{"model_type": "gpt2"}')
    assert about(identities.encoder(node, "text"))["pooling"] == "last"
