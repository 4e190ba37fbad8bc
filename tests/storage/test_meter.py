from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from mmclf.storage import meter
from mmclf.storage.meter import Meter, Use

MEASURED = """
import numpy as np
from mmclf.storage.meter import Meter
with Meter(energy=False).measure() as idle:
    pass
with Meter(energy=False).measure() as busy:
    held = np.ones(60_000_000, dtype=np.float64)
    held.sum()
    del held
print(idle.peak_mb, busy.peak_mb, busy.energy_wh)
"""


def test_the_peak_holds_what_the_computation_held() -> None:
    # In a process of its own: where the system cannot set a peak back, it is the process's.
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True
    )
    idle, busy, energy = done.stdout.split()
    assert 400 < float(busy) - float(idle) < 600
    assert energy == "None"


def test_the_peak_is_set_back_before_the_computation_and_read_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status, clear = tmp_path / "status", tmp_path / "clear_refs"
    monkeypatch.setattr(meter, "STATUS", status)
    monkeypatch.setattr(meter, "CLEAR", clear)
    with Meter(energy=False).measure() as use:
        assert clear.read_text() == "5"
        status.write_text("Name:\tpython\nVmHWM:\t  250000 kB\nVmRSS:\t  100000 kB\n")
    assert use.peak_mb == 256.0


def test_a_system_without_the_files_of_linux_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(meter, "STATUS", tmp_path / "status")
    monkeypatch.setattr(meter, "CLEAR", tmp_path / "no" / "clear_refs")
    with Meter(energy=False).measure() as use:
        pass
    assert use == Use(None, None)


def test_what_fails_in_the_block_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), Meter(energy=False).measure():
        raise ZeroDivisionError


def test_energy_is_estimated_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A file of codecarbon's in the working folder would send what it measures.
    (tmp_path / ".codecarbon.config").write_text(
        "[codecarbon]\nsave_to_api = true\nsave_to_file = true\napi_key = a\nexperiment_id = b\n"
        "emissions_endpoint = http://127.0.0.1:9\nelectricitymaps_api_token = c\n"
    )
    monkeypatch.chdir(tmp_path)
    asked: list[Any] = []

    def refuse(_socket: socket.socket, address: Any) -> NoReturn:
        asked.append(address)
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    meter._energy_tracker.cache_clear()
    with Meter(energy=True).measure() as use:
        np.linalg.inv(np.random.default_rng(0).random((900, 900)))
    meter._energy_tracker.cache_clear()
    assert use.energy_wh is not None
    assert use.energy_wh >= 0
    assert asked == []
    assert [path.name for path in tmp_path.iterdir()] == [".codecarbon.config"]


def test_an_estimate_that_fails_is_no_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def start_task(self) -> None:
            pass

        def stop_task(self) -> NoReturn:
            raise RuntimeError

    monkeypatch.setattr(meter, "_energy_tracker", Broken)
    with Meter(energy=True).measure() as use:
        pass
    assert use.energy_wh is None
    assert use.peak_mb is not None
