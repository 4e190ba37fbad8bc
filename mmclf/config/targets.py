"""Which classes and functions a config may name as `_target_`, and how they are built.

A dotted name reaches anything that a module happens to import, so its beginning proves nothing: the
object itself must be defined in an allowed package and be the kind of thing its group expects.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import inspect
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from mmclf.config.components import INNER, Kind, component
from mmclf.config.moved_targets import current_target
from mmclf.errors import InputError, nearest

LONGEST_REASON = 300

# Allowing one of these would let a config reach far more than a component (joblib.load unpickles).
NOT_USER_MODULES = (
    *("IPython", "PIL", "_pytest", "accelerate", "antlr4", "cloudpickle", "cv2", "datasets"),
    *("dill", "distutils", "filelock", "huggingface_hub", "hydra", "hydra_plugins", "iterstrat"),
    *("joblib", "lightning", "matplotlib", "mlflow", "mmclf", "numpy", "omegaconf", "pandas"),
    *("pip", "pkg_resources", "pydantic", "pytest", "requests", "rich", "safetensors", "scipy"),
    *("setuptools", "sklearn", "sqlalchemy", "tensorflow", "timm", "tokenizers", "torch"),
    *("torchvision", "transformers", "yaml"),
)


def refusal(module: str) -> str | None:
    """Why `module` cannot stand in allow_targets, or None if it can."""
    if not all(part.isidentifier() and not part.startswith("_") for part in module.split(".")):
        return (
            f"allow_targets: {module!r} is not a module's name, such as my_parts or my_lib.losses"
        )
    root = module.partition(".")[0]
    if (
        root in sys.stdlib_module_names
        or root in sys.builtin_module_names
        or root in NOT_USER_MODULES
    ):
        return (
            f"allow_targets: {module!r} is not a module of your own: name the one with your parts"
        )
    return None


def resolve(name: object, role: str, allow: Sequence[str]) -> Callable[..., Any]:
    """The class or function called `name`, proved to be what the group `role` expects.

    `allow`: the user's own modules. Raises InputError with one problem that begins with `_target_`.
    Nothing outside the allowed packages is imported.
    """
    refused = [why for why in map(refusal, allow) if why is not None]
    if refused:
        raise InputError(refused[0])
    entry = component(role)
    packages = (*entry.packages, *allow)
    expected = f"expected {entry.expected} in {', '.join(packages)}"
    # Public names have no leading underscore; __globals__ and the like lead out of a module.
    if not isinstance(name, str) or not all(
        piece.isidentifier() and not piece.startswith("_") for piece in name.split(".")
    ):
        raise InputError(f"_target_ {name!r} is no dotted public name: {expected}")
    name = current_target(name)
    if not _under(name, packages):
        raise InputError(
            f"_target_ {name!r} is not allowed: {expected}"
            "; a module of your own is allowed by allow_targets=[MODULE] on the command line"
        )
    target = _locate(name, packages, expected)
    home, own_name = _declared_home(target)
    if home is not None and not _under(home, packages):
        raise InputError(
            f"_target_ {name!r} is defined in {home!r}, which is not allowed: {expected}"
        )
    proved = home in sys.modules and vars(sys.modules[home]).get(own_name) is target
    if home is None or not proved or not _is_kind(target, entry.kind, home):
        raise InputError(f"_target_ {name!r} is {_described(target)}: {expected}")
    return cast("Callable[..., Any]", target)


def parameters(target: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters that a call of `target` takes; none if it hides them."""
    try:
        return inspect.signature(target).parameters
    except (TypeError, ValueError):
        return {}


def build(node: Mapping[str, Any], role: str, allow: Sequence[str] = (), **provided: Any) -> Any:
    """Call the node's `_target_` with its other keys, and with those of `provided` that it names.

    A setting that has a `_target_` itself is built first. Raises InputError for a target that is
    not allowed and for settings whose values the target refuses.
    """
    target = resolve(node["_target_"], role, allow)
    arguments = {
        key: build(value, INNER, allow) if is_component(value) else value
        for key, value in node.items()
        if key != "_target_"
    }
    taken = parameters(target)
    arguments |= {key: value for key, value in provided.items() if key in taken}
    try:
        return target(**arguments)
    except (InputError, MemoryError):
        raise
    # A component of the user's own can raise anything, above all while it reads a file.
    except Exception as error:
        raise InputError(
            f"{role}: {node['_target_']} refuses its settings ({type(error).__name__}): "
            f"{_shortened(str(error))}"
        ) from error


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 3]}..."


def is_component(value: object) -> bool:
    """Whether a setting is a component to be built."""
    return isinstance(value, Mapping) and "_target_" in value


def _under(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _locate(name: str, packages: Sequence[str], expected: str) -> object:
    root = max((package for package in packages if _under(name, (package,))), key=len)
    here: object = _imported(root)
    path = root
    for piece in name.removeprefix(root).split(".")[1:]:
        # Only modules are walked, and only allowed ones: what they import leads outside.
        if type(here) is not types.ModuleType or not _under(here.__name__, packages):
            raise InputError(f"_target_ {name!r}: {path} is {_described(here)}: {expected}")
        # vars, not getattr: a look-up must not run a module's __getattr__.
        if piece in vars(here):
            here = vars(here)[piece]
        elif _is_submodule(here, piece):
            here = _imported(f"{here.__name__}.{piece}")
        else:
            best = nearest(piece, [name for name in vars(here) if not name.startswith("_")])
            hint = f"did you mean {path}.{best}?" if best is not None else expected
            raise InputError(f"_target_ {name!r}: {path} has no {piece!r}: {hint}")
        path = f"{path}.{piece}"
    return here


def _is_submodule(module: types.ModuleType, piece: str) -> bool:
    folders = vars(module).get("__path__")  # which only packages have
    if folders is None:
        return False
    name = f"{module.__name__}.{piece}"
    return importlib.machinery.PathFinder.find_spec(name, folders) is not None


def _imported(module: str) -> types.ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise InputError(
            f"_target_ in {module!r}: there is no module {missing!r}: install it, or put it "
            "into the folder that --config-dir names, and name it in allow_targets"
        ) from error
    except (Exception, SystemExit) as error:
        raise InputError(
            f"_target_ in {module!r}: importing it failed with {type(error).__name__}: "
            f"{(str(error).splitlines() or [''])[0]}"
        ) from error


def _declared_home(target: object) -> tuple[str | None, str]:
    """The module and the name that a class or function says it is defined by."""
    if type(target) is types.FunctionType:
        home, name = target.__module__, target.__qualname__
    elif issubclass(type(target), type):
        home, name = _raw(target, "__module__"), _raw(target, "__qualname__")
    else:
        return None, ""
    return (home if isinstance(home, str) else None), str(name)


def _raw(target: object, name: str) -> Any:
    """A class's attribute past its metaclass, which could answer in the class's place."""
    return type.__dict__[name].__get__(target)


def _is_kind(target: object, kind: Kind, home: str) -> bool:
    if kind == "loader":
        return _is_loader(target, home)
    if not issubclass(type(target), type):
        return False
    ancestors = _raw(target, "__mro__")
    methods = {name for ancestor in ancestors for name in _raw(ancestor, "__dict__")}
    match kind:
        case "optimizer":
            return _torch("torch.optim", "Optimizer") in ancestors
        case "scheduler":
            wanted = _torch("torch.optim.lr_scheduler", "LRScheduler")
            by_metric = _torch("torch.optim.lr_scheduler", "ReduceLROnPlateau")
            return wanted in ancestors and by_metric not in ancestors
        case "fitted":
            return "fit" in methods
    fits_and_transforms = kind == "module or transformer" and {"fit", "transform"} <= methods
    return fits_and_transforms or _torch("torch.nn", "Module") in ancestors


def _is_loader(target: object, home: str) -> bool:
    if type(target) is not types.FunctionType:
        return issubclass(type(target), type) and not _under(home, ("mmclf",))
    # mmclf.data has many functions; the role of a loader is in its annotation.
    returns = target.__annotations__.get("return")
    name = getattr(returns, "__name__", returns)
    return name == "Samples" or not _under(home, ("mmclf",))


def _torch(module: str, name: str) -> Any:
    # Imported where it is needed: composing a configuration must not wait for torch.
    return getattr(importlib.import_module(module), name)


def _described(target: object) -> str:
    if type(target) is types.ModuleType:
        return f"the module {target.__name__}"
    if issubclass(type(target), type):
        return "another class"
    return (
        "another function" if type(target) is types.FunctionType else f"a {type(target).__name__}"
    )
