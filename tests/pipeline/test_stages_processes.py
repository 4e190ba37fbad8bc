"""In how many processes a run is computed is in the key of a fit that trains an encoder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from planned_keys import BASE, BOTH, changed, named_keys, stages_of

from mmclf.config.schema import Composed

pytest_plugins = ["stage_key_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_at_hand")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(BASE, set()), ((*BOTH, "text.trainable=true"), {"fit", "decide"})],
)
def test_the_number_of_processes_is_in_the_key_of_what_it_changes(
    composed: Callable[..., Composed], lines: tuple[str, ...], expected: set[str]
) -> None:
    config = composed(*lines).config
    one, two, four = (named_keys(stages_of(config, count)) for count in (1, 2, 4))
    assert changed(one, two) == expected
    assert changed(two, four) == expected
