from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mmclf.storage.store import json_cache as module
from mmclf.storage.store.json_cache import JsonCache

PROGRAM = """
import sys, time
from pathlib import Path
from mmclf.storage.store.json_cache import JsonCache

folder, name = Path(sys.argv[1]), sys.argv[2]

def find_out():
    with (folder / "found_out").open("a") as stream:
        stream.write("once ")
    time.sleep(0.2)
    return "answer"

(folder / f"ready.{name}").touch()
while len([*folder.glob("ready.*")]) < 4:
    time.sleep(0.01)
print(JsonCache(folder / "memory.json").get_or_compute("question", find_out))
"""


@pytest.fixture
def memory(tmp_path: Path) -> JsonCache:
    return JsonCache(tmp_path / "memory" / "facts.json")


def never() -> NoReturn:
    pytest.fail("it was found out again")


def test_nothing_is_known_at_first(memory: JsonCache) -> None:
    assert memory.get("a") is None
    assert memory.all() == {}


def test_what_was_found_out_is_remembered(memory: JsonCache, tmp_path: Path) -> None:
    assert memory.get_or_compute("ä", lambda: {"bf16": True}) == {"bf16": True}
    assert memory.get_or_compute("ä", never) == {"bf16": True}
    again = JsonCache(tmp_path / "memory" / "facts.json")
    assert again.get("ä") == {"bf16": True}
    assert again.all() == {"ä": {"bf16": True}}


def test_an_error_in_finding_out_is_not_remembered(memory: JsonCache) -> None:
    def fail() -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        memory.get_or_compute("a", fail)
    assert memory.get_or_compute("a", lambda: 1) == 1


def test_further_facts_are_added_to_those_known(memory: JsonCache) -> None:
    memory.add({"a": 1, "b": [2]})
    memory.add({"b": [3], "c": None})
    assert memory.all() == {"a": 1, "b": [3], "c": None}


def test_nothing_is_written_where_all_is_known(
    memory: JsonCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add({"a": {"b": 1}, "c": 2})
    monkeypatch.setattr(module, "write_atomic", lambda *_: pytest.fail("it was written"))
    memory.add({"a": {"b": 1}})


@pytest.mark.parametrize(
    "content", [b"", b'{"a": 1', b'{"a": 1}', b"\xff\xfe", b"[1]", b"null", b"[" * 100_000]
)
def test_a_damaged_memory_is_as_good_as_none(
    memory: JsonCache, tmp_path: Path, content: bytes
) -> None:
    memory.add({"a": 1})
    (tmp_path / "memory" / "facts.json").write_bytes(content)
    assert memory.get("a") is None
    assert memory.get_or_compute("a", lambda: 2) == 2
    assert memory.all() == {"a": 2}


def test_a_memory_with_any_byte_flipped_tells_nothing_false(
    memory: JsonCache, tmp_path: Path
) -> None:
    facts = {"a": {"bf16": True, "gain": 1.25}, "b": "timm/net"}
    memory.add(facts)
    path = tmp_path / "memory" / "facts.json"
    sound = path.read_bytes()
    for position in range(len(sound)):
        damaged = bytearray(sound)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        assert memory.all() in ({}, facts)


def test_a_full_disk_forgets_and_harms_nothing(
    memory: JsonCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, __: Path) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    memory.add({"a": 1})
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        assert memory.get_or_compute("b", lambda: 2) == 2
    assert memory.all() == {"a": 1}
    left = {path.name for path in (tmp_path / "memory").iterdir()} - {"facts.json.lock"}
    assert left == {"facts.json"}


def test_processes_that_ask_at_once_find_out_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    asked: list[subprocess.Popen[Any]] = [
        subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, text=True) for i in range(4)
    ]
    assert [process.communicate(timeout=110)[0] for process in asked] == ["answer\n"] * 4
    assert (tmp_path / "found_out").read_text() == "once "
