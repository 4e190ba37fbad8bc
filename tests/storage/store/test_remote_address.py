"""The address of a store behind the store, and small files there."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from message_facts import Naming
from remote_stores import remote_address

from mmclf.errors import InputError
from mmclf.storage.store.remote import Remote


def test_small_files_beside_the_stages(tmp_path: Path) -> None:
    address = remote_address(tmp_path)
    remote = Remote(address)
    assert remote.read("memory/x.json") is None
    remote.write("memory/x.json", b"{}")
    assert Remote(address).read("memory/x.json") == b"{}"


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("/mnt/store", ("/mnt/store", "s3://BUCKET/FOLDER")),
        ("s3://", ("store.remote",)),
        ("bucket", ("bucket",)),
        ("simplecache::s3://bucket", ("simplecache",)),
        ("nosuch://bucket/x", ("nosuch",)),
        ("sftp://anna:swordfish@host/x", ("store.remote",)),
        ("s3://bucket/x?aws_secret_access_key=swordfish", ("store.remote",)),
    ],
)
@pytest.mark.hostile("secrets")
def test_an_address_that_is_none_or_has_a_password_is_refused(
    address: str, named: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as raised:
        Remote(address)
    assert str(raised.value) == Naming(*named)
    assert "swordfish" not in str(raised.value)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> NoReturn:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(InputError) as raised:
        Remote("s3://bucket/x")
    assert str(raised.value) == Naming("s3://bucket/x", "mmclf[s3]")
