"""Tables written into a folder, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmclf.data.samples import Samples
from mmclf.data.sources.table import load
from mmclf.errors import InputError


def loaded(folder: Path, content: str, name: str = "t.csv", **arguments: Any) -> Samples:
    """The samples of a table with this content, without images unless they are asked for."""
    (folder / name).write_text(content, encoding="utf-8", newline="")
    return load(str(folder), name, **{"image_column": None, **arguments})


def problems(folder: Path, content: str, name: str = "t.csv", **arguments: Any) -> list[str]:
    """The problems with such a table."""
    with pytest.raises(InputError) as caught:
        loaded(folder, content, name, **arguments)
    return list(caught.value.problems)


def label_sets(samples: Samples) -> list[set[str]]:
    """The labels of each sample."""
    return [{samples.label_ids[j] for j in row.nonzero()[0]} for row in samples.labels]
