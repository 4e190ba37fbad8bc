from __future__ import annotations

from pathlib import Path

import pytest
from table_folders import loaded, problems


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("17", "17.jpg"),
        ("a/17", "a/17.jpg"),
        ("2014.03.01", "2014.03.01.jpg"),
        ("17.png", "17.png"),
        ("17.JPG", "17.JPG"),
    ],
)
def test_a_suffix_is_added_where_there_is_none(tmp_path: Path, name: str, path: str) -> None:
    content = f"image,caption,labels\n{name},x,dog\n"
    samples = loaded(tmp_path, content, image_column="image", image_suffix=".jpg", images="p")
    assert samples.images == (tmp_path / "p" / path,)
    assert samples.ids == (name,)


@pytest.mark.parametrize("suffix", ["jpg", ".", ""])
def test_what_is_no_suffix(tmp_path: Path, suffix: str) -> None:
    (problem,) = problems(tmp_path, "caption,labels\nx,y\n", image_suffix=suffix)
    assert problem.startswith("data.image_suffix")
