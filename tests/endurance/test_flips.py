"""Random byte flips over all that is stored: each is detected, and nothing is computed from it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from endurance_runs import Scale, Start, numbers_of
from hostile_count import Attempts

from mmclf.storage.store.json_cache import JsonCache
from mmclf.storage.store.maintenance import damaged

pytestmark = [pytest.mark.slow, pytest.mark.hostile("flipped bytes")]

RUN_AGAIN = 10  # after so many flips


def test_every_flipped_byte_is_detected_and_leads_to_the_same_numbers(
    tmp_path: Path, start: Start, scale: Scale, attempts: Attempts
) -> None:
    process = start(tmp_path)
    process.join()
    assert process.exitcode == 0
    numbers = numbers_of(tmp_path, process.pid)
    store, chance = tmp_path / "store", random.Random(0)
    for attempt in range(1, scale.flips + 1):
        files = sorted(path for path in store.glob("*/*/**/*") if path.is_file())
        files = [path for path in files if path.relative_to(store).parts[0] != "demo"]
        file = chance.choice(files)
        before = file.read_bytes()
        place = chance.randrange(len(before))
        flipped = bytes([before[place] ^ (1 << chance.randrange(8))])
        file.write_bytes(before[:place] + flipped + before[place + 1 :])
        with attempts.counted():
            (actual,) = damaged(store)
            assert file.is_relative_to(actual[0].folder)
        if attempt % RUN_AGAIN:
            file.write_bytes(before)
            assert not list(damaged(store))
            continue
        again = start(tmp_path)
        again.join()
        log = (tmp_path / f"{again.pid}.log").read_text()
        assert again.exitcode == 0, log
        assert numbers_of(tmp_path, again.pid) == numbers
        file.write_bytes(before) if file.exists() else None


def test_a_flipped_byte_in_what_is_remembered_is_not_believed(
    tmp_path: Path, scale: Scale, attempts: Attempts
) -> None:
    file, chance = tmp_path / "facts.json", random.Random(0)
    JsonCache(file).add({"an encoder on 2 x CPU": {"bf16": True, "gain": 1.5}, "other": 1})
    whole = file.read_bytes()
    for _ in range(scale.flips):
        place = chance.randrange(len(whole))
        flipped = bytes([whole[place] ^ (1 << chance.randrange(8))])
        file.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with attempts.counted():
            known = JsonCache(file).all()
            assert known in ({}, {"an encoder on 2 x CPU": {"bf16": True, "gain": 1.5}, "other": 1})
