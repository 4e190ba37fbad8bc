"""No name and no link leads out of a folder: neither to read, nor to write, nor to remove."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.storage.store.inner_files import (
    files_below,
    inner_file,
    is_inner_name,
    remove_tree,
)

OUTSIDE = [
    *("", "/", ".", "..", "../a", "a/..", "a/../b", "a/../../b", "model/../../../etc/x", "/etc/x"),
    *("a//b", "a/", "./a", "a/./b", "a\\..\\b", "..\\a", "C:a", "c:/a", "a\0b", "//host/a"),
]


@pytest.mark.parametrize("name", [*OUTSIDE, None, 1, b"a", ["a"]])
@pytest.mark.hostile("stores")
def test_what_leads_out_is_no_inner_name(name: object) -> None:
    assert not is_inner_name(name)


@pytest.mark.parametrize(
    "name", ["a", "a/b", "model/head.bin", "..a", "a..", "...", "é", "a b", " "]
)
def test_what_stays_inside_is_an_inner_name(name: str) -> None:
    assert is_inner_name(name)


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b", "C:", "\\", "\0", "é"]), max_size=6))
def test_an_inner_name_is_below_its_folder_however_it_is_joined(parts: list[str]) -> None:
    name = "/".join(parts)
    if is_inner_name(name):
        joined = os.path.normpath(f"/folder/{name}")
        assert joined == f"/folder/{name}"
        assert PurePosixPath(name).parts == tuple(parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file, and a file and a folder outside of it."""
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "file").write_text("inner")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("outer")
    return inside


def test_a_file_is_found_where_it_is(folder: Path) -> None:
    assert inner_file(folder, "sub/file").read_text() == "inner"
    with pytest.raises(FileNotFoundError):
        inner_file(folder, "sub/other")


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.hostile("stores")
def test_no_file_is_found_outside(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        inner_file(folder, name)


@pytest.mark.parametrize(
    ("link", "target", "name"),
    [
        ("linked", "../outside/file", "linked"),
        ("linked", "sub/file", "linked"),
        ("linked", "../outside", "linked/file"),
        ("linked", "sub", "linked/file"),
        ("linked", "nowhere", "linked"),
    ],
)
@pytest.mark.hostile("stores")
def test_no_file_is_found_behind_a_link(folder: Path, link: str, target: str, name: str) -> None:
    (folder / link).symlink_to(target)
    with pytest.raises(ValueError, match="symbolic link"):
        inner_file(folder, name)


@pytest.mark.hostile("stores")
def test_no_file_is_found_in_a_folder_that_is_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)
    with pytest.raises(ValueError, match="symbolic link"):
        inner_file(tmp_path / "linked", "sub/file")


@pytest.mark.hostile("stores")
def test_a_pipe_and_a_folder_are_no_files(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for name in ("pipe", "sub"):
        with pytest.raises(ValueError, match="no file"):
            inner_file(folder, name)


def test_only_the_files_of_a_folder_are_listed(folder: Path) -> None:
    (folder / "linked").symlink_to("../outside/file")
    (folder / "folder").symlink_to("../outside")
    os.mkfifo(folder / "pipe")
    assert list(files_below(folder)) == [folder / "sub" / "file"]


@pytest.mark.hostile("stores")
def test_what_a_link_points_to_is_not_removed_with_it(folder: Path, tmp_path: Path) -> None:
    (folder / "linked").symlink_to("../outside")
    (tmp_path / "to_folder").symlink_to(folder)
    remove_tree(tmp_path / "to_folder")
    assert (folder / "sub" / "file").is_file()
    remove_tree(folder)
    remove_tree(folder)
    remove_tree(tmp_path / "nowhere")
    assert {path.name for path in tmp_path.iterdir()} == {"outside"}
    assert (tmp_path / "outside" / "file").read_text() == "outer"
    remove_tree(tmp_path / "outside" / "file")
    assert not list((tmp_path / "outside").iterdir())
