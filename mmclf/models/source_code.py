"""What the code of mmclf's own parts is, by content: an edited loss is another loss."""

from __future__ import annotations

import ast
from importlib import util
from pathlib import Path

from mmclf.storage.store.hashing import texts_digest

PACKAGE = "mmclf"


def code_digest(module: str) -> str:
    """The digest of a module's code, and of the modules in its folder that it imports.

    Comments, docstrings and layout do not count. Nothing is imported. Raises ModuleNotFoundError
    for a module that there is not.
    """
    folder = module.rpartition(".")[0]
    texts: dict[str, str] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        if name in texts:
            continue
        tree = ast.parse(_file_of(name).read_text(encoding="utf-8"))
        pending += [other for other in _imports(tree) if other.rpartition(".")[0] == folder]
        texts[name] = ast.unparse(_Undocumented().visit(tree))
    return texts_digest([text for item in sorted(texts.items()) for text in item])


def is_own(target: str) -> bool:
    """Whether the dotted name of a target lies in mmclf."""
    return target.startswith(f"{PACKAGE}.")


def _file_of(module: str) -> Path:
    spec = util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {module}", name=module)
    return Path(spec.origin)


def _imports(tree: ast.AST) -> list[str]:
    """The modules that the code names in `from MODULE import ...`."""
    return [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
    ]


class _Undocumented(ast.NodeTransformer):
    """Takes the docstrings away."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
        return node
