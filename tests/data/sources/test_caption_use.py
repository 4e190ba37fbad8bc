from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.sources.caption_use import use_captions

CAPTIONS = (("a", "b", "c"), (), ("d",), ("e", ""))


def test_the_first_is_used_and_the_others_are_counted() -> None:
    used = use_captions(CAPTIONS, "first")
    assert (used.captions, used.others) == (("a", "", "d", "e"), ())
    (note,) = used.notes
    assert note == Naming("3 captions", "2 samples")
    assert use_captions([("a",), ()], "first").notes == ()


def test_joined_and_each() -> None:
    assert use_captions(CAPTIONS, "join").captions == ("a b c", "", "d", "e")
    used = use_captions(CAPTIONS, "each")
    assert (used.captions, used.others) == (("a", "", "d", "e"), (("b", "c"), (), (), ("",)))
    assert used.notes == ()


@given(st.lists(st.lists(st.text())))
def test_each_keeps_every_caption(captions: list[list[str]]) -> None:
    used = use_captions(captions, "each")
    others = used.others or ((),) * len(captions)
    kept = [[one, *more] for one, more in zip(used.captions, others, strict=True)]
    assert kept == [own or [""] for own in captions]
    assert bool(used.others) == any(len(own) > 1 for own in captions)
