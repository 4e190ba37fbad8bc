"""Command lines to compose, and what is wrong with one."""

from __future__ import annotations

import pytest

from mmclf.config.compose import check_command
from mmclf.config.shipped import conf_dir
from mmclf.errors import InputError

CONF = conf_dir()
HERE = ("data=competition", "data.root=here")
LEVELS = sorted(
    f"{path.parent.name}={path.stem}"
    for path in CONF.glob("*/*.yaml")
    # A study is no run: tests/studies composes them.
    if path.parent.name not in ("hydra", "study")
)


def problems(*overrides: str, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_command([*HERE, *overrides], **options)  # type: ignore[arg-type]
    return list(caught.value.problems)
