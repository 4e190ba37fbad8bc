"""The way of the data is the order of imports: a module knows only what comes before it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "mmclf"
# What stands earlier is known to what stands later, never the other way round.
WAY = (
    *("errors", "messages", "file_limits", "progress", "storage", "config", "data", "models"),
    *("evaluation", "plots", "training", "pipeline", "studies", "cli", "__init__", "__main__"),
)
# Libraries that a single place knows.
HOMES = {
    "mlflow": ("storage/tracking",),
    "omegaconf": ("config", "cli"),
    "hydra": ("config", "cli"),
}


def modules() -> Iterator[tuple[str, set[str]]]:
    """Each module's path in the package, and the dotted names that it imports, at any depth."""
    for path in sorted(PACKAGE.rglob("*.py")):
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        yield path.relative_to(PACKAGE).as_posix(), names


def top(path: str) -> str:
    """The folder or module at the top of the package that a path leads into."""
    return path.partition("/")[0].removesuffix(".py")


def test_each_module_imports_only_what_comes_before_it() -> None:
    later = [
        f"{path} imports {name}"
        for path, names in modules()
        for name in sorted(names)
        if name.startswith("mmclf.") and WAY.index(name.split(".")[1]) > WAY.index(top(path))
    ]
    assert later == []


def test_a_library_is_known_where_it_belongs_alone() -> None:
    strangers = [
        f"{path} imports {name}"
        for path, names in modules()
        for name in sorted(names)
        if (homes := HOMES.get(name.split(".")[0])) is not None and not path.startswith(homes)
    ]
    assert strangers == []


def test_each_folder_says_what_is_in_it_and_nothing_else() -> None:
    unnamed, unknown = [], []
    for folder in (path.parent for path in PACKAGE.rglob("*/__init__.py")):
        docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
        named = set(re.findall(r"\w+", docstring))
        members = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        members |= {path.parent.name for path in folder.glob("*/__init__.py")}
        unnamed += [f"{folder.name}: {member}" for member in sorted(members - named)]
        # A line of the list is names, two spaces or more, and what they are.
        entries = re.findall(r"^(\w+(?:, \w+)*)  ", docstring, flags=re.MULTILINE)
        listed = {name for entry in entries for name in entry.split(", ")}
        unknown += [f"{folder.name}: {name}" for name in sorted(listed - members)]
    assert (unnamed, unknown) == ([], [])
