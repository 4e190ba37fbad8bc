from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.image_paths import image_path, image_paths
from mmclf.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of images beside another one, with links of every kind in it."""
    inside, outside = tmp_path / "images", tmp_path / "secret"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for place in (inside / "a.jpg", inside / "sub" / "b.jpg", outside / "s.jpg"):
        place.touch()
    (inside / "to_a.jpg").symlink_to(inside / "a.jpg")
    (inside / "out.jpg").symlink_to(outside / "s.jpg")
    (inside / "far").symlink_to(outside)
    (inside / "near").symlink_to(inside / "sub")
    (inside / "sub" / "up.jpg").symlink_to("../../secret/s.jpg")
    (inside / "chain.jpg").symlink_to(inside / "out.jpg")
    (inside / "loop.jpg").symlink_to(inside / "loop.jpg")
    (inside / "nowhere.jpg").symlink_to(outside / "not there.jpg")
    return inside


@pytest.mark.parametrize(
    "name",
    [
        *("a.jpg", "sub/b.jpg", "./a.jpg", "sub//b.jpg", "not there.jpg", "nor/here.jpg"),
        *("to_a.jpg", "near/b.jpg", "a.jpg/b.jpg", "loop.jpg"),
        *("..jpg", "a..b.jpg", "...", "~a.jpg", "%2e%2e", "naïve 猫.jpg", "ab:c.jpg", "x" * 255),
    ],
)
def test_names_inside(folder: Path, name: str) -> None:
    assert image_path(folder, name) == folder / name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "has an empty name"),
        ("/etc/passwd", "is an absolute path"),
        ("//host/a.jpg", "is an absolute path"),
        ("../secret/s.jpg", "leads upwards"),
        ("sub/../../secret/s.jpg", "leads upwards"),
        ("sub/../a.jpg", "leads upwards"),
        ("..", "leads upwards"),
        ("..\\secret\\s.jpg", "Windows"),
        ("C:a.jpg", "Windows"),
        ("c:/a.jpg", "Windows"),
        ("\\\\host\\a.jpg", "Windows"),
        ("sub/", "is a folder's name"),
        (".", "is a folder's name"),
        ("a.jpg\0.png", "holds a NUL byte"),
        ("\ud800.jpg", "is no proper text"),
        ("x" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
        ("out.jpg", "symbolic link"),
        ("far/s.jpg", "symbolic link"),
        ("far/new.jpg", "symbolic link"),
        ("sub/up.jpg", "symbolic link"),
        ("near/up.jpg", "symbolic link"),
        ("chain.jpg", "symbolic link"),
        ("nowhere.jpg", "symbolic link"),
    ],
)
@pytest.mark.hostile("data")
def test_names_that_lead_outside(folder: Path, name: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        image_path(folder, name)
    (problem,) = caught.value.problems
    assert problem.startswith("the image '")
    assert why in problem
    assert problem == Naming(folder, "17.jpg")
    problem.encode()
    assert "\n" not in problem


def test_the_folder_itself_may_be_a_link(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert image_paths(link, ["a.jpg", "to_a.jpg"]) == (link / "a.jpg", link / "to_a.jpg")
    with pytest.raises(InputError, match="symbolic link"):
        image_path(link, "out.jpg")


@pytest.mark.hostile("data")
def test_a_folder_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data2").mkdir()
    (tmp_path / "data" / "a.jpg").symlink_to(tmp_path / "data2" / "a.jpg")
    with pytest.raises(InputError, match="symbolic link"):
        image_path(tmp_path / "data", "a.jpg")


def test_the_root_folder_holds_everything() -> None:
    assert image_path(Path("/"), "a.jpg") == Path("/a.jpg")


def test_a_folder_that_is_not_there_is_reported_elsewhere(tmp_path: Path) -> None:
    names = ["a.jpg", "b/c.jpg"]
    assert image_paths(tmp_path / "gone", names) == tuple(tmp_path / "gone" / n for n in names)


def test_every_bad_name_is_counted_and_the_first_are_listed_with_their_places(
    folder: Path,
) -> None:
    names = ["a.jpg", "out.jpg", "", "../x", "sub/b.jpg", "/a", "b\\a", "sub/", "far/s.jpg"]
    places = [f"t.csv, line {i}" for i in range(2, 11)]
    with pytest.raises(InputError) as caught:
        image_paths(folder, names, places)
    *listed, more = caught.value.problems
    assert [problem.partition(": ")[0] for problem in listed] == [
        places[i] for i in (1, 2, 3, 5, 6)
    ]
    assert listed[2] == Naming("t.csv, line 5", "'../x'")
    assert more == Naming("2 more", folder)


def test_five_bad_names_are_all_listed(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        image_paths(folder, ["/a"] * 5)
    assert len(caught.value.problems) == 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(["..", ".", "sub", "far", "near", "a.jpg", "up.jpg", "b.jpg", ""])
        ).map("/".join),
    )
)
def test_no_name_leads_outside(folder: Path, name: str) -> None:
    try:
        path = image_path(folder, name)
    except InputError:
        return
    assert path.resolve().is_relative_to(folder.resolve()) or name == "loop.jpg"
