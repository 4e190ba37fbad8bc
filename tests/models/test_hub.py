from __future__ import annotations

import socket
from pathlib import Path
from typing import NoReturn

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.models import hub
from mmclf.models.hub import hub_folder, hub_is_reachable


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def cached(cache: Path, file: str) -> Path:
    repository = cache / "models--some--net"
    snapshot = repository / "snapshots" / ("1" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("1" * 40)
    (snapshot / file).write_text("{}")
    return snapshot


@pytest.mark.usefixtures("no_network")
def test_the_cache_comes_first(cache: Path) -> None:
    snapshot = cached(cache, "model.safetensors")
    assert hub_folder("some/net", ["*.safetensors"]) == snapshot


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("file", [None, "config.json"])
def test_the_advice_where_the_hub_is_out_of_reach(
    cache: Path, monkeypatch: pytest.MonkeyPatch, file: str | None
) -> None:
    if file is not None:
        cached(cache, file)
    monkeypatch.setattr(hub, "hub_is_reachable", lambda: False)
    with pytest.raises(InputError) as caught:
        hub_folder("some/net", ["*.safetensors"])
    message = str(caught.value)
    assert message == Naming("weights=hub", "some/net")
    for advice in ("weights=random", "path of a local copy", "vision=efficientnet_lite0"):
        assert advice in message


@pytest.mark.usefixtures("no_network")
def test_no_name_of_a_repository(cache: Path) -> None:
    with pytest.raises(InputError, match="'a/b/c' is no name"):
        hub_folder("a/b/c", ["*"])


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OSError("401 no\nmore"), r"no some/net .*\(401 no\)"),
        (None, r"some/net has no \*\.safetensors"),
    ],
)
def test_answers_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: OSError | None, words: str
) -> None:
    def download(*_: object, local_files_only: bool = False, **__: object) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("not here")
        if answer is not None:
            raise answer
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setattr(hub, "hub_is_reachable", lambda: True)
    with pytest.raises(InputError, match=words):
        hub_folder("some/net", ["*"])
    if answer is None:
        (tmp_path / "model.safetensors").touch()
        assert hub_folder("some/net", ["*"]) == tmp_path


@pytest.mark.parametrize("offline", [True, False])
def test_an_unreachable_hub(monkeypatch: pytest.MonkeyPatch, offline: bool) -> None:
    asked: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> NoReturn:
        asked.append(address)
        assert timeout <= 5
        raise TimeoutError

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    monkeypatch.setattr(socket, "create_connection", connect)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert not hub_is_reachable()
    assert asked == ([] if offline else [("hub.invalid", 443)])
