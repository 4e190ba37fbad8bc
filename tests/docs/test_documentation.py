"""The documentation is true: its commands run, its files compose, its links lead somewhere."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from doc_commands import Command, check, commands_of, names, parse, run
from doc_data import write_data
from doc_pages import BLOCKS, LANGUAGES, NEEDS, PAGES, PATCH, ROOT, SHELL, SLOW, Block, Page

from mmclf.cli.main import SUBCOMMANDS
from mmclf.config.shipped import conf_dir
from mmclf.config.user_modules import UserModules
from mmclf.storage.tracking import Tracker

README_LINES = 150
MODULES = {path.stem for path in (ROOT / "mmclf").iterdir()}
FOLDERS = ("conf/", "docs/", "experiments/", "hydra_plugins/", "mmclf/", "tests/")


def _with_marks(blocks: Sequence[Block]) -> list[object]:
    return [
        pytest.param(block, id=block.name, marks=[pytest.mark.slow] if SLOW in block.marks else [])
        for block in blocks
    ]


# Of a block that runs in the fast tier it is seen there that its commands compose.
NOT_RUN_HERE = [
    block
    for block in BLOCKS
    if block.language in SHELL and not block.is_patch and (block.needs or SLOW in block.marks)
]
RUN_HERE = [
    block
    for block in BLOCKS
    if not block.needs
    and not block.is_patch
    and (block.language in SHELL or block.language == "python")
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with DIR, which holds a small data set in every layout that the pages name."""
    folder = tmp_path_factory.mktemp("documentation")
    write_data(folder)
    for page in PAGES:
        for name, text in page.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def scratch(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, and no module of a page known before or afterwards."""
    monkeypatch.chdir(data)
    others = [finder for finder in sys.meta_path if not isinstance(finder, UserModules)]
    monkeypatch.setattr(sys, "meta_path", others)
    own = {Path(name).stem for page in PAGES for name in page.files if name.endswith(".py")}
    for name in own:
        sys.modules.pop(name, None)
    yield data
    for name in own:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def run_ids(data: Path) -> list[str]:
    """The ids of two runs that the pages call RUN_ID, of one sweep, tracked where commands look."""
    before = Path.cwd()
    os.chdir(data)
    try:
        assert run(parse("mmclf -m loss=bce,focal"), []) == 0
        tracker = Tracker("sqlite:///outputs/mlflow.db", "mmclf", Path("outputs"))
        return [one.id for one in tracker.runs() if one.parent is not None]
    finally:
        os.chdir(before)


@pytest.mark.parametrize("block", [pytest.param(b, id=b.name) for b in BLOCKS])
def test_a_block_says_what_it_is_and_what_it_needs(block: Block) -> None:
    assert block.language in LANGUAGES
    marks = {mark for mark in block.marks if not mark.startswith("file=")}
    assert marks <= {SLOW, PATCH, *NEEDS}
    if block.language == "yaml" and not block.is_patch:
        assert block.file is not None
    if block.language in SHELL:
        programs = {command.program for command in commands_of(block)}
        assert programs
        assert programs <= {"mmclf", "make"} or block.needs
    if block.language == "text":
        assert not re.search(r"^\$? *(mmclf|make|python|pip) ", block.text, re.MULTILINE)


@pytest.mark.parametrize("block", [pytest.param(b, id=b.name) for b in NOT_RUN_HERE])
@pytest.mark.usefixtures("scratch")
def test_what_a_command_asks_for_exists(block: Block) -> None:
    for command in commands_of(block):
        check(command)


@pytest.mark.parametrize("block", _with_marks(RUN_HERE))
def test_a_block_runs(
    block: Block, run_ids: list[str], scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if block.file is not None:
        compile(block.text, block.name, "exec")
    elif block.language == "python":
        exec(compile(block.text, block.name, "exec"), {"__name__": "__main__"})
    else:
        for command in commands_of(block):
            if command.program == "mmclf":
                _run_with_its_output(command, run_ids, capsys)
            else:
                check(command)


def _run_with_its_output(
    command: Command, run_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # Blocks run in any order, each in any process.
    study = command.reported_study
    if study is not None and not Path("outputs", "studies", study).exists():
        assert run(parse(f"mmclf study={study}"), []) == 0
    capsys.readouterr()
    assert run(command, run_ids) == 0
    printed = capsys.readouterr().out
    if command.output:
        assert names(command.output[0]) in [names(line) for line in printed.splitlines()]


@pytest.mark.parametrize("page", [pytest.param(p, id=p.name) for p in PAGES])
def test_a_file_that_a_page_shows_is_used_there(page: Page) -> None:
    commands = [c for b in page.blocks if b.language in SHELL for c in commands_of(b)]
    words = {word for command in commands for word in command.arguments}
    for name, text in page.files.items():
        path = Path(name)
        if path.suffix == ".yaml":
            assert isinstance(yaml.safe_load(text), dict)
            assert f"{path.parent.name}={path.stem}" in words
        else:
            assert f"allow_targets=[{path.stem}]" in words


@pytest.mark.parametrize("page", [pytest.param(p, id=p.name) for p in PAGES])
def test_links_lead_to_files_and_headings(page: Page) -> None:
    by_path = {other.path: other for other in PAGES}
    for link in page.links():
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        assert target.exists(), link
        if anchor:
            assert anchor in by_path[target].anchors, link


@pytest.mark.parametrize("page", [pytest.param(p, id=p.name) for p in PAGES])
def test_names_in_the_text_exist(page: Page) -> None:
    """Dotted names of the code and paths in the repository."""
    for code in page.codes():
        if re.fullmatch(r"mmclf(\.\w+)+", code):
            # A tag such as mmclf.seed, or a path of an earlier version, begins with no module.
            assert code.split(".")[1] not in MODULES or _resolves(code), code
        elif code.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", code):
            is_pattern = re.search(r"\b(GROUP|NAME)\b", code)
            assert is_pattern or (ROOT / code).exists(), code


def _resolves(name: str) -> bool:
    first, *rest = name.split(".")
    value: object = importlib.import_module(first)
    for i, part in enumerate(rest, start=2):
        if not hasattr(value, part):
            try:
                importlib.import_module(".".join([first, *rest[: i - 1]]))
            except ModuleNotFoundError:
                return False
        value = getattr(value, part)
    return True


@pytest.mark.parametrize("page", [pytest.param(p, id=p.name) for p in PAGES])
@pytest.mark.usefixtures("scratch")
def test_commands_in_the_text_can_be_started(page: Page) -> None:
    """Inline code such as `mmclf study=loss`; one with a placeholder is no command."""
    for code in page.codes():
        if code.startswith(("mmclf ", "make ")) and not re.search(
            r"[A-Z]{2}|\.\.\.|\[[A-Z-]", code
        ):
            check(parse(code))


def test_the_readme_is_a_way_in() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= README_LINES


def test_the_guide_lists_every_group_with_its_levels() -> None:
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (`[^|]*`) \|", text, re.MULTILINE)
    listed = {group: set(re.findall(r"`([^`]+)`", levels)) for group, levels in rows}
    for folder in conf_dir().iterdir():
        levels = {path.stem for path in folder.glob("*.yaml")} if folder.is_dir() else set()
        if levels:
            assert listed[folder.name] == levels


def test_the_readmes_demo_is_the_published_one() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    published = (ROOT / "experiments" / "demo" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:default|improved): .*$", text, re.MULTILINE)
    assert len(rows) == 2
    assert {*rows} <= {*published.splitlines()}


def test_each_subcommand_is_in_the_guide() -> None:
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert [name for name in SUBCOMMANDS if f"`mmclf {name}" not in text] == []
