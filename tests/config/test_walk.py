from __future__ import annotations

from mmclf.config.walk import nodes, select

TREE = {"a": {"b": [1, {"c": None}]}, 2: {}}


def test_every_node_has_a_dotted_key() -> None:
    assert dict(nodes(TREE)) == {
        "a": TREE["a"],
        "a.b": [1, {"c": None}],
        "a.b.0": 1,
        "a.b.1": {"c": None},
        "a.b.1.c": None,
        "2": {},
    }
    assert [*nodes("text")] == []


def test_what_is_not_there_is_none() -> None:
    assert select(TREE, "a.b") == [1, {"c": None}]
    assert select(TREE, "a.x.y") is None
    assert select(TREE, "a.b.c") is None
