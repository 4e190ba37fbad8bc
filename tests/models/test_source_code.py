"""The code of a part counts by what it does, not by how it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmclf.models.source_code import code_digest, is_own

LOSS = """
from package import constant, offsets as moved
from package.helpers import scale
from other import thing
import package.roots


class Loss:
    '''A loss.'''

    def forward(self, logits, labels):
        return scale * (logits - labels) + moved.offset + package.roots.root
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose module `loss` imports others in its folder, and another package."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("constant = 1\n")
    (folder / "loss.py").write_text(LOSS)
    (folder / "helpers.py").write_text("scale = 2\n")
    (folder / "offsets.py").write_text("from package import deeper\noffset = deeper.value\n")
    (folder / "deeper.py").write_text("value = 4\n")
    (folder / "roots.py").write_text("root = 5\n")
    (folder / "unused.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    # To look for a module imports the package that it lies in.
    sys.modules.pop("package", None)


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("loss.py", "(logits - labels)", "(labels - logits)", True),
        ("helpers.py", "2", "3", True),
        ("offsets.py", "value", "value + 1", True),
        ("deeper.py", "4", "5", True),
        ("roots.py", "5", "6", True),
        ("loss.py", "A loss.", "Another word for it.", False),
        ("loss.py", "A loss.'''\n", "A loss.'''  # a comment\n", False),
        ("unused.py", "1", "2", False),
    ],
    ids=[
        "the code",
        "what it imports from",
        "a module that it imports",
        "what that imports",
        "a module by its whole name",
        "a docstring",
        "a comment",
        "what it does not import",
    ],
)
def test_what_counts(package: Path, file: str, old: str, new: str, counts: bool) -> None:
    before = code_digest("package.loss")
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    assert (code_digest("package.loss") != before) == counts


def test_nothing_is_imported(package: Path) -> None:
    del package
    code_digest("package.loss")
    assert "package.loss" not in sys.modules


def test_a_module_that_there_is_not_is_named() -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        code_digest("mmclf.models.nowhere")
    assert caught.value.name == "mmclf.models.nowhere"


def test_only_what_lies_in_mmclf_is_its_own() -> None:
    assert is_own("mmclf.models.losses.FocalLoss")
    assert not is_own("mmclf_parts.Loss")
    assert not is_own("torch.nn.BCEWithLogitsLoss")
