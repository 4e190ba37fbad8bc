"""`tracking.energy` decides whether codecarbon is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmclf.config.compose import compose
from mmclf.pipeline import run_data
from mmclf.pipeline.run_data import open_store
from mmclf.storage.meter import Meter


@pytest.mark.parametrize(
    ("lines", "expected"), [([], True), (["tracking.energy=false"], False)], ids=["default", "off"]
)
def test_energy_is_measured_unless_it_is_switched_off(
    lines: list[str], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[bool]()
    meter = Meter

    def made(**given: Any) -> Any:
        asked.append(given["energy"])
        return meter(**given)

    monkeypatch.setattr(run_data, "Meter", made)
    with open_store(compose([f"output_dir={tmp_path}", *lines]).config, "2 x CPU"):
        pass
    assert asked == [expected]
