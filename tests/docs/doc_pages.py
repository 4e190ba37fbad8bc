"""The pages of the documentation: their blocks, links, anchors and inline code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
AT_THE_TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "deploy/README.md")
FILES = (*(ROOT / name for name in AT_THE_TOP), *sorted((ROOT / "docs").glob("*.md")))
SHELL = ("sh", "bash", "console")
LANGUAGES = (*SHELL, "python", "yaml", "text")
# What a block may need, so that it is not run: a model hub, a GPU, a server, an installation.
NEEDS = ("hub", "gpu", "server", "setup")
SLOW = "slow"
PATCH = "patch"  # a change of mmclf's own files, or a command that needs it
PATH_COMMENT = re.compile(r"# ([\w./-]+/[\w-]+\.(?:py|yaml))")


@dataclass(frozen=True)
class Block:
    """A fenced block, at a line of a page; `marks` are the words after its language."""

    page: str
    heading: str
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """As `docs/guide.md:12`."""
        return f"{self.page}:{self.line}"

    @property
    def needs(self) -> set[str]:
        """What it needs beyond this machine."""
        return {*NEEDS} & {*self.marks}

    @property
    def is_patch(self) -> bool:
        """Whether it is of a change of mmclf's own files, which this tree does not have."""
        return PATCH in self.marks

    @property
    def file(self) -> str | None:
        """The file that it shows: by `file=PATH`, or by a first line that is a comment `# PATH`."""
        for mark in self.marks:
            if mark.startswith("file="):
                return mark.removeprefix("file=")
        first = PATH_COMMENT.fullmatch(self.text.partition("\n")[0])
        return first[1] if first is not None and self.language in ("python", "yaml") else None


class Page:
    """A page, parsed as Markdown."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.relative_to(ROOT).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self._tokens = MarkdownIt("commonmark").enable("table").parse(self.text)

    @cached_property
    def blocks(self) -> list[Block]:
        """The fenced blocks, in their order, each with the heading that it stands below."""
        heading, blocks = "", []
        for token, after in zip(self._tokens, [*self._tokens[1:], None], strict=True):
            if token.type == "heading_open" and after is not None:
                heading = after.content
            elif token.type == "fence":
                blocks.append(_block(self.name, heading, token))
        return blocks

    @cached_property
    def files(self) -> dict[str, str]:
        """The text of each file that its blocks show."""
        return {block.file: block.text for block in self.blocks if block.file is not None}

    @cached_property
    def anchors(self) -> set[str]:
        """What a link into the page may name, as GitHub makes it of headings."""
        pairs = zip(self._tokens, self._tokens[1:], strict=False)
        return {_slug(text.content) for token, text in pairs if token.type == "heading_open"}

    def links(self) -> Iterator[str]:
        """Targets of links and images."""
        for token in self._inline():
            target = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
            if isinstance(target, str):
                yield target

    def codes(self) -> Iterator[str]:
        """Inline code."""
        yield from (token.content for token in self._inline() if token.type == "code_inline")

    def _inline(self) -> Iterator[Token]:
        for token in self._tokens:
            yield from token.children or ()


def _block(page: str, heading: str, token: Token) -> Block:
    language, *marks = token.info.split() or [""]
    line = token.map[0] + 1 if token.map is not None else 0
    return Block(page, heading, line, language, tuple(marks), token.content)


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


PAGES = [Page(path) for path in FILES]
BLOCKS = [block for page in PAGES for block in page.blocks]
