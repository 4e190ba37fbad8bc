"""A component's settings with further overrides: read, set, checked."""

from __future__ import annotations

import pytest

from mmclf.config.component_overrides import with_overrides
from mmclf.errors import InputError

NODE = {"_target_": "mmclf.data.sources.table.load", "root": "d", "file": "t.csv", "labels": ["a"]}


def test_overrides_set_keys_in_a_copy() -> None:
    lines = ["data.file=new.csv", "data.separator='|'", "+data.labels=[x, y]", "data.root='${a}'"]
    changed = with_overrides(NODE, "data", lines, ())
    assert changed == NODE | {
        "file": "new.csv",
        "separator": "|",
        "labels": ["x", "y"],
        "root": "${a}",
    }
    assert NODE["file"] == "t.csv"
    assert with_overrides(NODE, "data", (), ()) == NODE


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (["data.fil=x"], ["did you mean 'file'?"]),
        (
            ["data.file=[a", "data.root=a,b"],
            ["data.file=[a: ", "data.root=a,b: expected one value"],
        ),
        (["~data.file"], ["~data.file: expected one value"]),
        (
            ["data.separator=3", "data.images=null"],
            ["data.separator: found 3", "data.images: found"],
        ),
        (["data._target_=os.system"], ["data._target_"]),
        (["data.root.a=1"], ["data.root: found"]),
    ],
)
def test_all_that_is_wrong_is_said(lines: list[str], problems: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        with_overrides(NODE, "data", lines, ())
    assert len(caught.value.problems) == len(problems)
    for actual, expected in zip(caught.value.problems, problems, strict=True):
        assert expected in actual
