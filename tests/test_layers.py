"""The way of the data is the order of imports: a module knows only what comes before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mmclf"

# What comes earlier on the way of the data is known to what comes later, never the other way round.
WAY = [
    {"errors", "timing", "progress"},
    {"store"},
    {"config"},
    {"data", "hardware", "models"},
    {"devices"},
    {"ahead"},
    {"precision", "encode", "augment"},
    {"features", "examples", "trial"},
    {"losses", "trainer"},
    {"thresholds", "threshold_search", "metrics"},
    {"scores"},
    {"assembly", "gallery"},
    {"material"},
    {"keys"},
    {"planning"},
    {"forecast"},
    {"inputs"},
    {"fitting"},
    {"outcome"},
    {"computation"},
    {"ablation"},
    {"verdict"},
    {"costs"},
    {"names", "tracking"},
    {"study"},
    {"report", "provenance"},
    {"conduct"},
    {"plan"},
    {"doctor"},
    {"cache"},
    {"artifacts", "drawings"},
    {"pipeline"},
    {"prediction"},
    {"launch"},
    {"cli"},
    {"__init__", "__main__"},
]
KNOWS_OMEGACONF = {"config", "launch"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(name: str) -> int:
    return next(i for i, names in enumerate(WAY) if name in names)


def top(path: Path) -> str:
    relative = path.relative_to(PACKAGE).with_suffix("")
    return relative.parts[0]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_comes_before_it(path: Path) -> None:
    own = {name.split(".")[1] for name in imported(path) if name.startswith("mmclf.")}
    later = {name for name in own if place(name) > place(top(path))}
    assert later == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_tracking_knows_mlflow_and_only_the_entry_omegaconf(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert "mlflow" not in roots or top(path) == "tracking"
    assert not roots & {"omegaconf", "hydra"} or top(path) in KNOWS_OMEGACONF
