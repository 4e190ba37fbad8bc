"""The digest of the code of mmclf's components, so that editing them changes stage keys."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from mmclf.storage.store.hashing import texts_digest

PACKAGE = "mmclf"


def code_digest(module: str) -> str:
    """The digest of the code of a module and of the modules in its folder that it imports.

    Comments, docstrings and layout are ignored. Nothing is imported. Raises ModuleNotFoundError if
    there is no such module.
    """
    folder = module.rpartition(".")[0]
    sources: dict[str, str] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        if name in sources:
            continue
        file = _file_of(name)
        code = _code(file, file.stat().st_mtime_ns)
        pending += [imported for imported in code.imports if _is_module_in(folder, imported)]
        sources[name] = code.text
    return texts_digest([text for item in sorted(sources.items()) for text in item])


def is_own(target: str) -> bool:
    """Whether a target's dotted name is in the package mmclf."""
    return target.startswith(f"{PACKAGE}.")


def _is_module_in(folder: str, name: str) -> bool:
    return name.rpartition(".")[0] == folder and util.find_spec(name) is not None


def _file_of(module: str) -> Path:
    spec = util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {module}", name=module)
    return Path(spec.origin)


@dataclass(frozen=True)
class _Code:
    text: str
    imports: tuple[str, ...]


@functools.lru_cache(maxsize=128)
def _code(file: Path, _changed_ns: int) -> _Code:
    """A file's code, parsed once, as a study asks for it in every run."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return _Code(ast.unparse(_DocstringRemover().visit(tree)), _imports(tree))


def _imports(tree: ast.AST) -> tuple[str, ...]:
    """What may be a module in the code's imports: after `from` or `import`, whichever it is."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


class _DocstringRemover(ast.NodeTransformer):
    """Removes docstrings."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
        return node
