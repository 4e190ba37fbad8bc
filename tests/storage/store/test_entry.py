"""Entries: whatever becomes of a stored byte is noticed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.storage.store import entry as module
from mmclf.storage.store.entry import (
    RECORD,
    DamagedError,
    Entry,
    Stage,
    StageTiming,
    open_entry,
    seal,
    write_record,
)

STAGE = Stage("fit", 3, {"seed": 0, "parts": ("a", "b"), "lr": 1e-3, "names": {"é": None}})
COST = StageTiming("fit", STAGE.key, 1.25, 80, "2 x CPU", None)
INPUTS = (StageTiming("text", "t" * 40, 0.5, 100, "1 x GPU", "run1"),)
CONTENT = {"logits.npy": b"\x00\x01\x02\x03", "model/head.bin": b"head", "model/empty": b""}


def make(folder: Path) -> Path:
    for name, data in CONTENT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    seal(folder, STAGE, COST, INPUTS)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "fit" / STAGE.key)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("kept") / "fit" / STAGE.key)


def content(folder: Path) -> dict[str, bytes]:
    entry = open_entry(folder)
    return {name: entry.read(name) for name in entry.files}


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield shutil.copytree(folder, Path(name) / "fit" / STAGE.key)


def is_whole(folder: Path) -> bool:
    """Whether nothing is noticed of what has become of an entry."""
    try:
        content(folder)
    except (DamagedError, FileNotFoundError):
        return False
    return True


def test_an_entry_comes_back_as_it_was(folder: Path) -> None:
    entry = open_entry(folder)
    assert content(folder) == CONTENT
    assert (entry.timing, entry.inputs) == (COST, INPUTS)
    assert entry.arguments == {"seed": 0, "parts": ["a", "b"], "lr": 1e-3, "names": {"é": None}}
    assert entry.size == 8
    assert entry.path("model/head.bin") == folder / "model" / "head.bin"
    assert entry.created > 1.7e9


def test_a_stages_key_is_of_its_name_version_and_arguments() -> None:
    assert STAGE.key == "9c094e201bd5d2343e556d4d1c585ff0460ad994"
    assert Stage("fit", 3, dict(reversed([*STAGE.arguments.items()]))).key == STAGE.key
    others = [
        Stage("decide", 3, STAGE.arguments),
        Stage("fit", 4, STAGE.arguments),
        Stage("fit", 3, {**STAGE.arguments, "seed": False}),
    ]
    assert len({STAGE.key, *(stage.key for stage in others)}) == 4


def test_a_record_rewritten_under_another_run_stays_whole(folder: Path) -> None:
    entry = open_entry(folder)
    timing = StageTiming("fit", STAGE.key, 1.25, 80, "2 x CPU", "run2")
    write_record(Entry(folder, timing, (), entry.arguments, entry.created, entry.files))
    assert open_entry(folder).timing.run == "run2"
    assert is_whole(folder)


@pytest.mark.parametrize("bit", [0, 5, 7])
def test_every_byte_that_flips_is_noticed(folder: Path, bit: int) -> None:
    unnoticed = []
    for name in (RECORD, "logits.npy", "model/head.bin"):
        path = folder / name
        sound = path.read_bytes()
        for position in range(len(sound)):
            damaged = bytearray(sound)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            if is_whole(folder):
                unnoticed.append((name, position))
        path.write_bytes(sound)
    assert unnoticed == []
    assert is_whole(folder)


@given(st.data())
def test_random_flips_are_noticed(kept: Path, data: st.DataObject) -> None:
    with copied(kept) as folder:
        path = folder / data.draw(st.sampled_from([RECORD, "logits.npy", "model/head.bin"]))
        damaged = bytearray(path.read_bytes())
        positions = st.integers(0, len(damaged) - 1)
        flips = data.draw(st.dictionaries(positions, st.integers(1, 255), min_size=1, max_size=5))
        for position, flip in flips.items():
            damaged[position] ^= flip
        path.write_bytes(damaged)
        assert not is_whole(folder)


@pytest.mark.parametrize("name", [RECORD, *CONTENT])
@pytest.mark.hostile("stores")
def test_an_appended_byte_is_noticed(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as stream:
        stream.write(b"\n")
    assert not is_whole(folder)


@pytest.mark.parametrize("name", [RECORD, "logits.npy", "model/head.bin"])
@pytest.mark.hostile("stores")
def test_a_file_cut_anywhere_is_noticed(folder: Path, name: str) -> None:
    path = folder / name
    sound = path.read_bytes()
    for length in range(len(sound)):
        path.write_bytes(sound[:length])
        assert not is_whole(folder)


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.hostile("stores")
def test_a_removed_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DamagedError, match=rf"{name} .*No such file"):
        content(folder)


@pytest.mark.hostile("stores")
def test_a_folder_in_the_place_of_a_file_is_noticed(folder: Path) -> None:
    (folder / "model" / "empty").unlink()
    (folder / "model" / "empty").mkdir()
    assert not is_whole(folder)


@pytest.mark.hostile("stores")
def test_swapped_files_are_noticed(folder: Path) -> None:
    (folder / "logits.npy").write_bytes(b"head")
    (folder / "model" / "head.bin").write_bytes(b"\x00\x01\x02\x03")
    with pytest.raises(DamagedError, match=r"(logits\.npy|head\.bin) has changed"):
        content(folder)


@pytest.mark.hostile("stores")
def test_a_file_that_is_not_of_the_entry_is_refused(folder: Path) -> None:
    (folder / "other").write_bytes(b"head")
    with pytest.raises(DamagedError, match=r"other is not of"):
        open_entry(folder).path("other")


def test_without_a_record_there_is_no_entry(folder: Path) -> None:
    (folder / RECORD).unlink()
    with pytest.raises(FileNotFoundError):
        open_entry(folder)


@pytest.mark.parametrize("record", [b"", b"[]", b"1", b'"a"', b"null", b"{}", b"[" * 100_000])
@pytest.mark.hostile("stores")
def test_a_record_of_something_else_is_damaged(folder: Path, record: bytes) -> None:
    (folder / RECORD).write_bytes(record)
    with pytest.raises(DamagedError, match=r"entry\.json has changed"):
        open_entry(folder)


def test_a_record_of_another_format_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORMAT", 2)
    with pytest.raises(DamagedError):
        open_entry(folder)


@pytest.mark.hostile("stores")
def test_a_record_made_to_measure_without_its_sum_is_refused(folder: Path) -> None:
    record = json.loads((folder / RECORD).read_bytes())
    record["cost"]["seconds"] = 0.001
    (folder / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    with pytest.raises(DamagedError):
        open_entry(folder)


def test_an_interrupted_rewrite_of_the_record_leaves_the_earlier_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    entry = open_entry(folder)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_record(Entry(folder, COST, (), {}, 0.0, {}))
    assert open_entry(folder) == entry
    assert {path.name for path in folder.iterdir()} == {"logits.npy", "model", RECORD}
