"""A second machine's first study computes nothing that the first one has sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mmclf
from mmclf.cli.main import main
from mmclf.pipeline.remote_store import PRECISIONS, open_remote
from mmclf.storage.store.json_cache import JsonCache, serialized
from mmclf.storage.store.store import Store

SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=4"),
    *("data.train=60", "data.test=20", "trainer.epochs=1"),
)
NEURAL = "facts about an encoder on a CPU"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What any store computes from now on."""
    made: list[Any] = []
    measured = Store._measured

    def noted(self: Store, compute: Any) -> Any:
        made.append(compute)
        return measured(self, compute)

    monkeypatch.setattr(Store, "_measured", noted)
    return made


def lines(folder: Path, machine: str) -> list[str]:
    return [f"output_dir={folder / machine}", f"store.remote=file://{folder}/remote"]


def test_a_second_machine_computes_nothing_that_the_first_has(
    tmp_path: Path, computed: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    first = mmclf.run([*SMALL, *lines(tmp_path, "one")])
    assert len(computed) > 3
    computed.clear()
    second = mmclf.run([*SMALL, *lines(tmp_path, "two")])
    assert computed == []
    assert (first.logits["test"] == second.logits["test"]).all()
    capsys.readouterr()
    assert main(["cache", f"output_dir={tmp_path / 'two'}"]) == 0
    total = capsys.readouterr().out.splitlines()[-1]
    stored = len([*(tmp_path / "two" / "store").glob("*/*/entry.json")])
    assert total.startswith(f"{stored} results, ")
    assert f", {stored} of them " in total


def test_with_the_cache_off_nothing_is_fetched_or_sent(tmp_path: Path, computed: list[Any]) -> None:
    mmclf.run([*SMALL, *lines(tmp_path, "one"), "cache=off"])
    assert computed
    assert not (tmp_path / "remote").exists()


def test_precisions_are_shared_as_they_are_in_keys(tmp_path: Path) -> None:
    facts = {NEURAL: {"gain": 1.9, "cosine": 1.0, "bf16": True}}
    one = mmclf.compose([*SMALL, *lines(tmp_path, "one")]).config
    two = mmclf.compose([*SMALL, *lines(tmp_path, "two")]).config
    with open_remote(one):
        JsonCache(tmp_path / "one" / "store" / PRECISIONS).add(facts)
    with open_remote(two):
        assert JsonCache(tmp_path / "two" / "store" / PRECISIONS).get(NEURAL) == facts[NEURAL]


def test_what_a_machine_has_decided_itself_stays(tmp_path: Path) -> None:
    for machine, is_faster in (("one", True), ("two", False)):
        own = JsonCache(tmp_path / machine / "store" / PRECISIONS)
        own.add({NEURAL: {"bf16": is_faster}})
        config = mmclf.compose([*SMALL, *lines(tmp_path, machine)]).config
        with open_remote(config):
            assert own.get(NEURAL) == {"bf16": is_faster}


@pytest.mark.hostile("stores")
@pytest.mark.parametrize("fact", [None, True, {}, {"bf16": "yes"}, [1]])
def test_what_is_no_precision_is_not_taken(fact: object, tmp_path: Path) -> None:
    file = tmp_path / "remote" / PRECISIONS
    file.parent.mkdir(parents=True)
    file.write_bytes(serialized({NEURAL: fact}))
    config = mmclf.compose([*SMALL, *lines(tmp_path, "one")]).config
    with open_remote(config):
        assert JsonCache(tmp_path / "one" / "store" / PRECISIONS).all() == {}


def test_the_environment_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mmclf.compose(SMALL).config.store.remote is None
    monkeypatch.setenv("MMCLF_STORE_REMOTE", f"file://{tmp_path}/remote")
    assert mmclf.compose(SMALL).config.store.remote == f"file://{tmp_path}/remote"
