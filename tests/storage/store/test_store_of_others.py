"""A store that someone else made: its records lead to nothing outside of their entries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stored_values import STAGE, Text, computed, empty_store, entry_files, entry_folder, files

from mmclf.models.description import EncoderDescription, read_files, write_files
from mmclf.storage.store.entry import RECORD, DamagedError, Stage, open_entry
from mmclf.storage.store.file_hasher import file_digest
from mmclf.storage.store.hashing import digest
from mmclf.storage.store.maintenance import damaged, prune, remove, stored_entries
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)
OUTSIDE = ("model/../../../outside", "../outside", "model/..", "/outside", "model//a", "", "a\\b")


def forge(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change an entry's record as its maker could, with a sum that fits."""
    record = json.loads((folder / RECORD).read_bytes())
    change(record)
    fields = {key: value for key, value in record.items() if key != "sum"}
    text = json.dumps(fields | {"sum": digest(fields)}, indent=1, sort_keys=True) + "\n"
    (folder / RECORD).write_text(text)


class Described:
    def write(self, value: EncoderDescription, folder: Path) -> None:
        value.write(folder)

    read = staticmethod(EncoderDescription.read)


DESCRIPTION = EncoderDescription({"class": "A"}, {"tokenizer/a.json": b"{}"})


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.hostile("stores")
def test_a_record_that_names_a_file_outside_is_damaged_and_made_again(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    store.get_or_compute(STAGE, Described(), lambda: Computed(DESCRIPTION, 1.0, 1))
    (tmp_path / "outside").write_text("secret")
    value = [6, file_digest(tmp_path / "outside")]
    forge(entry_folder(store), lambda record: record["files"].update({name: value}))
    with pytest.raises(DamagedError):
        open_entry(entry_folder(store))
    assert [stored.entry for stored in stored_entries(store.folder)] == [None]
    again = store.get_or_compute(STAGE, Described(), lambda: Computed(DESCRIPTION, 1.0, 1))
    assert (again.value, again.reused) == (DESCRIPTION, False)
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "outside").read_text() == "secret"


@pytest.mark.parametrize("value", [["6", "a"], [-1, "a"], [6, None], [True, "a"], [6.0, "a"]])
@pytest.mark.hostile("stores")
def test_a_record_of_impossible_sizes_and_digests_is_damaged(store: Store, value: object) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    forge(entry_folder(store), lambda record: record["files"].update(value=value))
    with pytest.raises(DamagedError):
        open_entry(entry_folder(store))


def test_a_record_with_a_fitting_sum_and_inner_names_is_whole(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    forge(entry_folder(store), lambda record: record["cost"].update(count=8))
    assert open_entry(entry_folder(store)).timing.count == 8


@pytest.mark.parametrize("name", ["value", RECORD])
@pytest.mark.hostile("stores")
def test_a_file_that_is_a_link_is_damaged_and_made_again(
    store: Store, tmp_path: Path, name: str
) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    target = tmp_path / "outside"
    (entry_folder(store) / name).rename(target)
    (entry_folder(store) / name).symlink_to(target)
    content = target.read_bytes()
    os.utime(target, (1.0, 1.0))
    assert store.get(STAGE, Text()) is None
    assert len(list(damaged(store.folder))) == 1
    assert not store.get_or_compute(STAGE, Text(), computed()).reused
    assert (target.read_bytes(), target.stat().st_mtime) == (content, 1.0)
    assert files(store) == entry_files()


@pytest.mark.hostile("stores")
def test_an_entry_that_is_a_link_is_made_again_beside_it(store: Store, tmp_path: Path) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    kept = tmp_path / "fit" / STAGE.key
    kept.parent.mkdir()
    entry_folder(store).rename(kept)
    entry_folder(store).symlink_to(kept)
    unfinished = entry_folder(store).with_name(f"{STAGE.key}.part")
    unfinished.symlink_to(tmp_path)
    assert store.get(STAGE, Text()) is None
    assert not store.get_or_compute(STAGE, Text(), computed()).reused
    assert open_entry(kept).read("value") == b"a"
    assert open_entry(entry_folder(store)).folder == entry_folder(store)
    assert {path.name for path in tmp_path.iterdir()} == {"store", "fit"}


@pytest.mark.hostile("stores")
def test_a_pipe_in_the_place_of_a_file_does_not_hold_a_reader_up(store: Store) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    for name in ("value", RECORD):
        (entry_folder(store) / name).unlink()
        os.mkfifo(entry_folder(store) / name)
        assert store.get(STAGE, Text()) is None
        assert not store.get_or_compute(STAGE, Text(), computed()).reused


@pytest.mark.hostile("stores")
def test_what_a_link_leads_to_is_neither_pruned_nor_removed(store: Store, tmp_path: Path) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    (tmp_path / "others").mkdir()
    outside = tmp_path / "others" / "fit"
    (store.folder / "fit").rename(outside)
    (store.folder / "fit").symlink_to(outside)
    assert stored_entries(store.folder) == []
    assert prune(store.folder, older_than_s=0.0, max_size=0) == []
    (store.folder / "text").mkdir()
    (store.folder / "text" / STAGE.key).symlink_to(outside / STAGE.key)
    assert remove(store.folder / "text" / STAGE.key)
    assert open_entry(outside / STAGE.key).read("value") == b"a"


class Nested:
    """Reads more than Python's stack holds."""

    def write(self, value: object, folder: Path) -> None:
        (folder / "value").write_bytes(b"[" * 100_000)

    def read(self, entry: Any) -> object:
        return json.loads(entry.read("value"))


@pytest.mark.hostile("stores")
def test_a_value_nested_too_deep_is_made_again(store: Store) -> None:
    stage = Stage("decide", 1, {})
    store.get_or_compute(stage, Nested(), lambda: Computed(1, 1.0, 1))
    assert store.get(stage, Nested()) is None
    assert not store.get_or_compute(stage, Nested(), lambda: Computed(1, 1.0, 1)).reused


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.hostile("stores")
def test_no_file_is_written_outside_of_a_runs_artifacts(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="expected one inside"):
        write_files(tmp_path / "artifacts" / "model" / "deep", {name: b"a"})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_files_of_an_entry_are_read_by_their_inner_names(store: Store) -> None:
    store.get_or_compute(STAGE, Described(), lambda: Computed(DESCRIPTION, 1.0, 1))
    assert read_files(open_entry(entry_folder(store)), "encoder") == {"tokenizer/a.json": b"{}"}
