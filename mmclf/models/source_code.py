"""The digest of the code of mmclf's components, so that editing them changes stage keys."""

from __future__ import annotations

import ast
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
        tree = ast.parse(_file_of(name).read_text(encoding="utf-8"))
        pending += [
            imported for imported in _imports(tree) if imported.rpartition(".")[0] == folder
        ]
        sources[name] = ast.unparse(_DocstringRemover().visit(tree))
    return texts_digest([text for item in sorted(sources.items()) for text in item])


def is_own(target: str) -> bool:
    """Whether a target's dotted name is in the package mmclf."""
    return target.startswith(f"{PACKAGE}.")


def _file_of(module: str) -> Path:
    spec = util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {module}", name=module)
    return Path(spec.origin)


def _imports(tree: ast.AST) -> list[str]:
    """The modules in the code's statements `from MODULE import ...`."""
    return [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
    ]


class _DocstringRemover(ast.NodeTransformer):
    """Removes docstrings."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
        return node
