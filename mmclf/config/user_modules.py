"""The user's own modules: those named in allow_targets are imported out of a folder of theirs."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from mmclf.errors import InputError


class UserModules:
    """Finds the allowed modules in a folder of the user's, and no others there."""

    def __init__(self, folder: Path, allowed_modules: Sequence[str]) -> None:
        self.folder = folder.resolve()
        self.roots = frozenset(module.partition(".")[0] for module in allowed_modules)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As sys.meta_path expects it of its entries."""
        if path is not None or name not in self.roots:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, [str(self.folder)], target)
        # A folder without __init__.py would follow its name along sys.path, into other folders.
        return spec if spec is not None and spec.origin is not None else None


def make_importable(folder: Path, allowed_modules: Sequence[str]) -> None:
    """Let the `allowed_modules` that lie in `folder` be imported; an installed one goes first.

    Raises InputError if one of them has been imported from elsewhere, as from another folder, or
    would be.
    """
    own = UserModules(folder, allowed_modules)
    for root in sorted(own.roots):
        spec = own.find_spec(root)
        in_use = _file_in_use(root)
        if spec is None or spec.origin is None or in_use is None:
            continue
        if Path(in_use).resolve() != Path(spec.origin).resolve():
            raise InputError(
                f"allow_targets: the module {root!r} of {spec.origin} has the name of one that is "
                f"in use, {in_use}: give it another name, or start Python anew"
            )
    earlier = [finder for finder in sys.meta_path if isinstance(finder, UserModules)]
    for finder in earlier:
        sys.meta_path.remove(finder)
    sys.meta_path.append(own)


def folder_in_use() -> Path | None:
    """The folder that the user's own modules are imported out of; None without one."""
    folders = [finder.folder for finder in sys.meta_path if isinstance(finder, UserModules)]
    return folders[-1] if folders else None


def _file_in_use(root: str) -> str | None:
    """The file that the module called `root` was imported from, or would be without allowing it."""
    if root in sys.modules:
        return getattr(sys.modules[root], "__file__", None)
    spec = importlib.machinery.PathFinder.find_spec(root)
    return spec.origin if spec is not None else None


def source_files(module: str) -> list[Path]:
    """The Python files that a user's own module is made of, found without importing it.

    All of its package, or the module's file and those beside it, unless they are installed ones.
    """
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return []
    if spec is None or spec.origin is None:
        return []
    file = Path(spec.origin)
    if spec.submodule_search_locations is not None:
        return sorted(file.parent.rglob("*.py"))
    installed = {"site-packages", "dist-packages"} & set(file.parts)
    return [file] if installed else sorted({file, *file.parent.glob("*.py")})
