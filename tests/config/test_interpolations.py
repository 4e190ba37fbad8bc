"""Interpolations are read as OmegaConf reads them, and nothing is resolved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.config.interpolations import interpolations


@pytest.mark.parametrize(
    ("text", "resolver", "keys", "dots", "arguments", "is_plain"),
    [
        ("${a.b}", None, ("a", "b"), 0, (), True),
        ("${a[b].c}", None, ("a", "b", "c"), 0, (), True),
        ("${..x.y}", None, ("x", "y"), 2, (), True),
        ("${a.${c}.d}", None, ("a",), 0, (), False),
        ("${${c}}", None, (), 0, (), False),
        ("${oc.env:HOME}", "oc.env", (), 0, ("HOME",), True),
        ("${ oc.env : HOME , x }", "oc.env", (), 0, ("HOME", "x"), True),
        ("${oc.env:'HOME'}", "oc.env", (), 0, ("HOME",), True),
        ("x ${now:%H-%M} y", "now", (), 0, ("%H-%M",), True),
        ("${oc.${n}:HOME}", "oc.${n}", (), 0, ("HOME",), False),
    ],
)
def test_an_interpolation_is_read(
    text: str,
    resolver: str | None,
    keys: tuple[str, ...],
    dots: int,
    arguments: tuple[str, ...],
    is_plain: bool,
) -> None:
    actual = interpolations(text)[0]
    assert (actual.resolver, actual.keys, actual.dots) == (resolver, keys, dots)
    assert (actual.arguments, actual.is_plain) == (arguments, is_plain)


@pytest.mark.parametrize("text", ["", "plain", "\\${oc.env:HOME}", "$HOME", "{a}", "${", "${a:"])
def test_a_text_without_any_has_none(text: str) -> None:
    assert interpolations(text) == ()


def test_those_inside_of_others_are_found() -> None:
    actual = interpolations("${oc.env:A,${oc.env:B,'${c}'}}")
    assert [(one.resolver, one.keys) for one in actual] == [
        ("oc.env", ()),
        ("oc.env", ()),
        (None, ("c",)),
    ]


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert len(interpolations(text)) <= text.count("${")
