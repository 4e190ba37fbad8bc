"""Tables and sentences as a notebook shows them."""

from __future__ import annotations

from html_reader import read

from mmclf.notebook.html import list_html, paragraph_html, table_html

ODD = "<img src=x onerror=alert(1)> & \x1b[2J {}"


def test_names_of_others_stay_text() -> None:
    text = table_html([ODD], [[ODD]]) + paragraph_html(ODD) + list_html([ODD])
    root = read(str(text))
    assert {node.tag for node in root.walk()} == {
        *("root", "table", "thead", "tbody", "tr", "th", "td", "p", "ul", "li")
    }
    assert root.all("td")[0].whole_text().startswith("<img src=x")


def test_texts_stand_left_and_numbers_right() -> None:
    root = read(str(table_html(["a", "b", "c"], [["x", "y", "1"]], texts=2)))
    sides = [node.attributes["style"].removeprefix("text-align:") for node in root.all("td")]
    assert sides == ["left", "left", "right"]


def test_a_list_of_nothing_is_nothing() -> None:
    assert str(list_html([])) == ""
