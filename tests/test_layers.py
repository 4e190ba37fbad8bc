"""The way of the data is the order of imports: a module knows only what comes before it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mmclf"
# What stands earlier is known to what stands later, never the other way round.
WAY = (
    *("errors", "progress", "storage", "config", "data", "models", "evaluation", "plots"),
    *("training", "pipeline", "studies", "cli", "notebook", "__init__", "__main__"),
)
# Libraries that a single place knows.
HOMES = {
    "mlflow": ("storage/tracking",),
    "omegaconf": ("config", "cli"),
    "hydra": ("config", "cli"),
    "fsspec": ("storage/store/remote",),
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


def sources() -> dict[str, ast.Module]:
    """The source of each module, by its dotted name."""
    paths = [*PACKAGE.rglob("*.py"), *(ROOT / "hydra_plugins").rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    trees = [ast.parse(path.read_text()) for path in paths]
    return {name.removesuffix(".__init__"): tree for name, tree in zip(names, trees, strict=True)}


def imported(node: ast.AST, modules: Collection[str]) -> set[str]:
    """The modules that a statement imports; `by name` for a call of `import_module`."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return {name if name in modules else node.module for name in names}
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
        return {"by name"}
    return set()


def test_late_imports_are_those_that_the_documentation_lists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition("\n## Late imports\n")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in section.splitlines() if row.startswith("| `")]
    listed = {
        (module, late)
        for first, second, *_ in rows
        for module in re.findall(r"`([^`]+)`", first)
        for late in re.findall(r"by name|(?<=`)[\w.]+(?=`)", second)
    }
    modules = sources()
    actual = {
        (module, name)
        for module, tree in modules.items()
        for node in set(ast.walk(tree)) - set(tree.body)
        for name in imported(node, modules)
    }
    assert actual == listed


def test_no_circle_of_modules_is_hidden_by_a_late_import() -> None:
    modules = sources()
    graph = {
        module: {name for node in ast.walk(tree) for name in imported(node, modules)} - {module}
        for module, tree in modules.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError
