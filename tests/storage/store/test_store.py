"""The store: a result is computed once, and recalled with what it cost."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from stored_values import (
    OTHER,
    STAGE,
    Text,
    computed,
    empty_store,
    entry_files,
    entry_folder,
    files,
    never,
)

from mmclf.storage.store.entry import RECORD, StageTiming, open_entry
from mmclf.storage.store.stage_result import StageResult
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)


def test_a_result_is_computed_once_and_recalled(store: Store, tmp_path: Path) -> None:
    made = store.get_or_compute(STAGE, Text(), computed())
    timing = StageTiming("fit", STAGE.key, 1.5, 7, "2 x CPU", None)
    assert made == StageResult("a", timing, (), reused=False)
    assert store.get_or_compute(STAGE, Text(), never) == StageResult("a", timing, (), reused=True)
    elsewhere = Store(tmp_path / "store", "1 x GPU")
    assert elsewhere.get(STAGE, Text()) == StageResult("a", timing, (), reused=True)
    assert files(store) == entry_files()


def test_a_result_is_of_its_stage_alone(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed("a"))
    assert store.get(OTHER, Text()) is None
    assert store.entry(OTHER) is None
    assert store.get_or_compute(OTHER, Text(), computed("b")).value == "b"
    assert store.get_or_compute(STAGE, Text(), never).value == "a"


def test_costs_and_inputs_are_recorded(store: Store) -> None:
    store.sign("run1")
    text = StageTiming("text", "t" * 40, 0.5, 100, "1 x GPU", "run0")
    inputs = [text, StageTiming("split", "s" * 40, 0.1, 100, "2 x CPU", None), text]
    store.get_or_compute(STAGE, Text(), computed(inputs=inputs))
    actual = store.get(STAGE, Text())
    assert actual is not None
    assert actual.timings == (StageTiming("fit", STAGE.key, 1.5, 7, "2 x CPU", "run1"), *inputs[:2])
    entry = store.entry(STAGE)
    assert entry is not None
    assert entry.arguments == {"seed": 0}


def test_what_was_made_before_the_runs_name_is_known_gets_it(store: Store) -> None:
    before = store.get_or_compute(STAGE, Text(), computed())
    store.sign("run1")
    after = store.get_or_compute(OTHER, Text(), computed(inputs=[before.timing]))
    assert before.timing.run is None
    assert store.signed(before.timing).run == "run1"
    assert [timing.run for timing in after.timings] == ["run1", "run1"]
    assert [open_entry(entry_folder(store, stage)).timing.run for stage in (STAGE, OTHER)] == [
        "run1"
    ] * 2
    assert store.get_or_compute(STAGE, Text(), never).value == "a"


def test_what_another_run_made_keeps_its_name(store: Store, tmp_path: Path) -> None:
    store.sign("run1")
    made = store.get_or_compute(STAGE, Text(), computed())
    later = Store(tmp_path / "store", "2 x CPU")
    recalled = later.get_or_compute(STAGE, Text(), never)
    later.sign("run2")
    assert later.signed(recalled.timing).run == "run1"
    assert open_entry(entry_folder(store)).timing == made.timing


def test_an_early_result_that_was_removed_is_no_reason_to_fail(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    shutil.rmtree(entry_folder(store))
    store.sign("run1")
    assert files(store) == set()


def test_a_use_is_noted(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    os.utime(entry_folder(store) / RECORD, (1, 1))
    store.get_or_compute(STAGE, Text(), never)
    assert (entry_folder(store) / RECORD).stat().st_mtime > time.time() - 60
