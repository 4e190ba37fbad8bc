"""Reads a page into elements, and fails where one is not closed as it should be."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "br", "link", "img"}


@dataclass
class Node:
    """An element, its text, and what it holds."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, tag: str) -> list[Node]:
        """The elements of a tag below this one, or this one."""
        return [node for node in self.walk() if node.tag == tag]

    def walk(self) -> Iterator[Node]:
        """This element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def whole_text(self) -> str:
        """The text of this element and of all below it."""
        return self.text + "".join(child.whole_text() for child in self.children)


class Reader(HTMLParser):
    """Reads a page into nodes; fails at an element that is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute twice: {tag} {names}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def read(text: str) -> Node:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def svg_of(root: Node, key: str) -> ElementTree.Element:
    """The figure of this key, which its image holds."""
    (image,) = part(root, key).all("img")
    data = image.attributes["src"].removeprefix("data:image/svg+xml;base64,")
    return ElementTree.fromstring(b64decode(data, validate=True))


def letters_of(root: Node, key: str) -> list[str]:
    """What is written in the figure of this key."""
    return [element.text or "" for element in svg_of(root, key).iterfind(".//{*}text")]


def part(root: Node, key: str) -> Node:
    (match,) = [node for node in root.walk() if node.attributes.get("id") == key]
    return match


def has(root: Node, key: str) -> bool:
    return any(node.attributes.get("id") == key for node in root.walk())
