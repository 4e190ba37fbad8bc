from __future__ import annotations

from pathlib import Path

import pytest

from mmclf.data.image_locations import ParquetCell
from mmclf.data.missing_files import likely_files


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.jpg", "A.JPG"),
        ("a", "A.JPG"),
        ("c", "c.png"),
        ("C.PNG", "c.png"),
        ("a.png", None),
        ("d.jpg", None),
        ("c.png", None),
    ],
)
def test_files_that_are_called_almost_so(tmp_path: Path, name: str, found: str | None) -> None:
    for there in ("A.JPG", "c.png", "d"):
        (tmp_path / there).touch()
    expected = tmp_path / found if found is not None else None
    assert likely_files([tmp_path / name]) == [expected]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert likely_files([tmp_path / "gone" / "a.jpg"]) == [None]


def test_of_an_image_inside_a_file_none_is_meant(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    cell = ParquetCell(tmp_path / "t.parquet", "image", 0, "A.jpg")
    assert likely_files([cell, tmp_path / "A.jpg"]) == [None, tmp_path / "a.jpg"]
