"""Parts of one's own count by their source, and by the files that they are given."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from planned_keys import (
    BASE,
    LEARNT,
    LEVELS,
    NOTHING,
    TEXT,
    VISION,
    Keys,
    Lines,
    changed,
    planned,
    write_levels,
)

from mmclf.config.user_modules import UserModules

pytest_plugins = ["stage_key_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_at_hand")

PARTS = """
from torch import nn


class Pool(nn.Module):
    out_dim = 3

    def __init__(self, table=None):
        super().__init__()

    def forward(self, pictures):
        return pictures.mean(dim=(2, 3))


class Lengths:
    out_dim = 1

    def fit(self, captions):
        return self

    def transform(self, captions):
        return [[len(text)] for text in captions]


class Brier(nn.Module):
    def forward(self, logits, labels):
        return ((logits.sigmoid() - labels) ** 2).mean()
"""
OWN_LEVELS = {
    "vision/pool": "_target_: key_parts.Pool\ntable: null\n",
    "text/lengths": "_target_: key_parts.Lengths\n",
    "loss/brier": "_target_: key_parts.Brier\n",
}
GRANT = "allow_targets=[key_parts]"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own levels and module, of which other tests know nothing."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, UserModules)]
    monkeypatch.setattr(sys, "meta_path", others)
    for name in ("key_parts", "key_helpers", "key_helpers.inner"):
        monkeypatch.setitem(sys.modules, name, sys)  # so that it is forgotten afterwards
        monkeypatch.delitem(sys.modules, name)
    folder = write_levels(tmp_path / "conf", {**LEVELS, **OWN_LEVELS})
    (folder / "key_parts.py").write_text(PARTS)
    return folder


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (BASE, NOTHING),
        ((*BASE, "loss=brier"), LEARNT),
        ((*BASE, "text=lengths"), TEXT),
        ((*BASE, "vision=pool"), VISION),
    ],
    ids=["none", "loss", "text", "vision"],
)
def test_ones_own_source_counts_where_it_is_used(
    own: Path, outputs: Path, lines: Lines, expected: str
) -> None:
    def found() -> Keys:
        return planned(own, f"output_dir={outputs}", GRANT, *lines)

    before = found()
    os.utime(own / "key_parts.py")
    assert found() == before
    (own / "key_parts.py").write_text(f"{PARTS}\n# and words\n")
    assert changed(before, found()) == set(expected.split())


def test_a_module_beside_ones_own_counts_too(own: Path, outputs: Path) -> None:
    lines = (f"output_dir={outputs}", GRANT, *BASE, "loss=brier")
    before = planned(own, *lines)
    (own / "beside.py").write_text("FACTOR = 2\n")
    assert changed(before, planned(own, *lines)) == {"fit", "decide"}


def test_a_grant_that_is_not_used_changes_nothing(
    own: Path, outputs: Path, keys_of: Callable[..., Keys]
) -> None:
    assert planned(own, f"output_dir={outputs}", GRANT, *BASE) == keys_of(*BASE)


def test_a_granted_package_that_ones_own_part_imports_counts_too(own: Path, outputs: Path) -> None:
    (own / "key_helpers").mkdir()
    (own / "key_helpers" / "__init__.py").write_text("")
    (own / "key_helpers" / "inner.py").write_text("FACTOR = 1\n")
    (own / "key_parts.py").write_text(f"from key_helpers.inner import FACTOR\n{PARTS}")
    grant = "allow_targets=[key_parts,key_helpers]"
    lines = (f"output_dir={outputs}", grant, *BASE, "loss=brier")
    before = planned(own, *lines)
    (own / "key_helpers" / "inner.py").write_text("FACTOR = 2\n")
    assert changed(before, planned(own, *lines)) == {"fit", "decide"}


def test_a_file_that_ones_own_part_is_given_counts_by_its_content(
    own: Path, outputs: Path, tmp_path: Path
) -> None:
    one, copy = tmp_path / "one.csv", tmp_path / "copy.csv"
    for path in (one, copy):
        path.write_text("1,2")

    def found(path: Path) -> Keys:
        lines = (*BASE, "vision=pool", f"vision.table={path}")
        return planned(own, f"output_dir={outputs}", GRANT, *lines)

    before = found(one)
    assert found(copy) == before
    one.write_text("1,3")
    assert changed(before, found(one)) == {"clean", "view1", "fit", "decide"}
