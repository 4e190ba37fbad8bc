from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from message_facts import Naming
from PIL import Image

from mmclf.data import decoded_images as module
from mmclf.data.decoded_images import DecodedImages, decode_images
from mmclf.data.images import decode_image, read_image
from mmclf.errors import InputError
from mmclf.storage.store.store import Store


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{i}.png" for i in range(7)]
    for i, path in enumerate(paths):
        Image.new("RGB", (6, 4), (20 * i, 100, 7)).save(path)
    return paths


def decoded(paths: list[Path], size: int = 4, crop: float | None = None) -> DecodedImages:
    store = Store(paths[0].parent / "store", "2 x CPU")
    return decode_images(paths, size=size, crop=crop, workers=2, store=store)


def files(paths: list[Path]) -> set[str]:
    return {path.suffix for path in (paths[0].parent / "store").rglob("*") if path.suffix}


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
@pytest.mark.parametrize("crop", [None, 0.5])
def test_pictures_stand_in_order(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch, chunk: int, crop: float | None
) -> None:
    monkeypatch.setattr(module, "MAX_QUEUED", chunk)
    images = decoded(paths, crop=crop)
    expected = np.stack([read_image(path, 4, crop) for path in paths])
    assert np.array_equal(images.pictures, expected)
    assert images.pictures.dtype == np.uint8
    assert (images.unreadable, images.timing.seconds > 0) == ({}, True)
    assert files(paths) == {".npy", ".json", ".lock"}


def test_the_second_time_nothing_is_read(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = decoded(paths)

    def refuse(*_: Any) -> None:
        pytest.fail("an image was read again")

    monkeypatch.setattr(module, "decode_image", refuse)
    again = decoded(paths)
    assert np.array_equal(first.pictures, again.pictures)
    assert (again.unreadable, again.timing.seconds) == (first.unreadable, first.timing.seconds)


def test_a_changed_file_another_size_or_crop_is_decoded_anew(paths: list[Path]) -> None:
    first = decoded(paths)
    assert decoded(paths, size=5).pictures.shape == (7, 5, 5, 3)
    assert decoded(paths, crop=0.5).pictures.shape == (7, 4, 4, 3)
    Image.new("RGB", (6, 4), (255, 255, 255)).save(paths[2])
    os.utime(paths[2], ns=(1, 1))
    changed = decoded(paths)
    assert (changed.pictures[2] == 255).all()
    assert np.array_equal(changed.pictures[3:], first.pictures[3:])
    assert decoded(paths[::-1]).pictures[0, 0, 0, 0] == 120


def test_images_that_cannot_be_read_are_listed(paths: list[Path]) -> None:
    paths[1].unlink()
    paths[4].write_bytes(b"no picture")
    for actual in (decoded(paths), decoded(paths)):
        assert sorted(actual.unreadable) == [1, 4]
        assert "1.png" in actual.unreadable[1]
        assert "4.png" in actual.unreadable[4]
        assert not actual.pictures[[1, 4]].any()
        assert (actual.pictures[[0, 2, 3, 5, 6], 0, 0, 1] == 100).all()


def test_grey_of_fewer_bits_is_noted_also_from_the_store(paths: list[Path]) -> None:
    assert decoded(paths).notes == ()
    for row, bits in ((1, 12), (4, 12), (5, 10)):
        grey = np.full((4, 4), (1 << bits) - 1, dtype=np.uint16)
        Image.fromarray(grey).save(paths[row])
        os.utime(paths[row], ns=(1, 1))
    for actual in (decoded(paths), decoded(paths)):
        assert actual.stretched == {1: 12, 4: 12, 5: 10}
        (note,) = actual.notes
        assert note == Naming("3 grey images", "1 of 10 bits", "2 of 12 bits")
        assert (actual.pictures[[1, 4, 5]] == 255).all()


def test_a_file_that_is_put_back_is_found(paths: list[Path]) -> None:
    picture = paths[1].read_bytes()
    paths[1].unlink()
    assert sorted(decoded(paths).unreadable) == [1]
    paths[1].write_bytes(picture)
    assert decoded(paths).unreadable == {}


def test_a_full_disk_is_reported_and_leaves_nothing(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(InputError, match=r"0\.0 GB.*No space.*store\.dir"):
            decoded(paths)
    assert files(paths) == {".lock"}
    assert decoded(paths).unreadable == {}


def test_an_interrupted_write_is_made_again(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "decode_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            decoded(paths)
    assert np.array_equal(decoded(paths).pictures, [read_image(path, 4) for path in paths])


def test_a_file_out_of_reach_for_a_while_is_read_when_it_is_back(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(path: Path, *_: Any) -> Any:
        if path.name == "3.png":
            raise InputError(f"{path} cannot be read as an image ([Errno 5] Input/output error)")
        return decode_image(path, 4)

    with monkeypatch.context() as patched:
        patched.setattr(module, "decode_image", out_of_reach)
        assert sorted(decoded(paths).unreadable) == [3]
        assert sorted(decoded(paths).unreadable) == [3]
    assert decoded(paths).unreadable == {}


@pytest.mark.parametrize("damage", ["removed", "cut"])
def test_an_array_that_is_gone_or_cut_is_made_again(paths: list[Path], damage: str) -> None:
    expected = np.array(decoded(paths).pictures)
    (array,) = (paths[0].parent / "store").rglob("*.npy")
    if damage == "removed":
        array.unlink()
    else:
        os.truncate(array, array.stat().st_size - 1)
    assert np.array_equal(decoded(paths).pictures, expected)
