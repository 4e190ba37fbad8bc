"""Arrays in files: what is written comes back, and what a file claims is held against its size."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from mmclf.storage.store import arrays
from mmclf.storage.store.arrays import MOST_ARRAYS, load_array, load_arrays, save_array

KINDS = st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1", "<U3", ">i2"])


@given(arrays_of.arrays(KINDS, arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4)))
def test_an_array_comes_back(array: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("a.npy", save_array), ("b.npy", np.save)):
            write(Path(folder, name), array)
            actual = load_array(Path(folder, name))
            assert (actual.dtype, actual.shape) == (array.dtype, array.shape)
            assert actual.tobytes() == array.tobytes()
            assert actual.flags.writeable


def test_an_array_by_columns_comes_back(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.save(tmp_path / "a.npy", array)
    assert np.array_equal(load_array(tmp_path / "a.npy"), array)


def header(text: str) -> bytes:
    stream = io.BytesIO()
    data = text.encode()
    stream.write(b"\x93NUMPY\x01\x00" + len(data).to_bytes(2, "little") + data)
    return stream.getvalue()


SHAPES = ["(4,)", "(2,)", "(1000000000000,)", "(1000000, 1000000, 1000000, 1000000)", "(-3,)"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.hostile("stores")
def test_a_shape_of_another_size_than_the_file_is_refused(tmp_path: Path, shape: str) -> None:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}"
    (tmp_path / "a.npy").write_bytes(header(text) + bytes(24))
    with pytest.raises(ValueError, match="found 24 bytes for an array"):
        load_array(tmp_path / "a.npy")


@pytest.mark.parametrize("kind", ["'|O'", "'<U0'", "[('a', '|O')]", "'nonsense'", "1"])
@pytest.mark.hostile("stores")
def test_types_that_are_no_numbers_and_texts_are_refused(tmp_path: Path, kind: str) -> None:
    text = f"{{'descr': {kind}, 'fortran_order': False, 'shape': (3,)}}"
    (tmp_path / "a.npy").write_bytes(header(text) + bytes(24))
    with pytest.raises(ValueError, match=r"."):
        load_array(tmp_path / "a.npy")


def npz(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def member(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_several_arrays_come_back(tmp_path: Path) -> None:
    given = {"ids": np.array(["a", "é"]), "logits": np.ones((2, 3), np.float32)}
    np.savez_compressed(tmp_path / "a.npz", **given)  # type: ignore[arg-type]
    actual = load_arrays(tmp_path / "a.npz")
    assert actual.keys() == given.keys()
    assert all(np.array_equal(actual[name], given[name]) for name in given)


@pytest.mark.hostile("stores")
def test_what_a_small_file_unpacks_to_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = npz(tmp_path / "a.npz", {"a.npy": member(np.zeros(10**6))})
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(arrays, "ARRAY_BYTES", 8 * 10**6 + 128)
    assert len(load_arrays(path)["a"]) == 10**6
    monkeypatch.setattr(arrays, "ARRAY_BYTES", 8 * 10**6)
    with pytest.raises(ValueError, match="unpacks to"):
        load_arrays(path)


@pytest.mark.hostile("stores")
def test_more_arrays_than_any_file_has_are_refused(tmp_path: Path) -> None:
    members = {f"{number}.npy": member(np.zeros(1)) for number in range(MOST_ARRAYS + 1)}
    with pytest.raises(ValueError, match="33 arrays"):
        load_arrays(npz(tmp_path / "a.npz", members))
    members.popitem()
    assert len(load_arrays(npz(tmp_path / "a.npz", members))) == MOST_ARRAYS


@pytest.mark.parametrize("data", [b"", b"no array", b"PK\x05\x06" + bytes(18), b"PK\x03\x04"])
@pytest.mark.hostile("stores")
def test_what_is_no_array_is_a_value_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ValueError, match=r"."):
        load_array(tmp_path / "a")
    if not data.startswith(b"PK\x05"):  # which is an empty file of arrays
        with pytest.raises(ValueError, match=r"."):
            load_arrays(tmp_path / "a")
    with pytest.raises(ValueError, match=r"."):
        load_arrays(npz(tmp_path / "b", {"a.npy": data}))
    with pytest.raises(FileNotFoundError):
        load_arrays(tmp_path / "none")
