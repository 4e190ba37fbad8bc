from __future__ import annotations

import socket
from pathlib import Path
from typing import NoReturn

import pytest
from PIL import Image

HEADER = "ImageID,Labels,Caption\n"
REAL_DATA = Path(__file__).parents[2] / "shared" / "data" / "comp5329"


@pytest.fixture
def competition(tmp_path: Path) -> Path:
    """Three labelled pictures and one without labels, in the competition's layout."""
    root = tmp_path / "competition"
    (root / "data").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (8, 6), (60 * number, 10, 200)).save(root / "data" / f"{number}.jpg")
    train = '0.jpg,1 19,"a man on a horse"\n1.jpg,2,"a "red" bike"\n2.jpg,10 2,"a light"\n'
    (root / "train.csv").write_text(HEADER + train)
    (root / "test.csv").write_text('ImageID,Caption\n3.jpg,"a cat"\n')
    return root


@pytest.fixture
def real_data() -> Path:
    """The competition's own tables and pictures, where they lie beside the repository."""
    if not REAL_DATA.is_dir():
        pytest.skip("the competition's data is not beside the repository")
    return REAL_DATA


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every attempt to look up or reach a host fail the test."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
