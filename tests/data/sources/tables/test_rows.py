from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming
from table_folders import label_sets, loaded, problems

HEADER = "id,image,caption,labels\n"


def test_a_row_for_each_label_by_id(tmp_path: Path) -> None:
    content = HEADER + "1,a.jpg,x,dog\n2,b.jpg,y,cat\n1,a.jpg,x,cat\n1,a.jpg,x,dog\n"
    samples = loaded(
        tmp_path, content, rows="per_label", id_column="id", image_column="image", images="p"
    )
    assert samples.ids == ("1", "2")
    assert samples.images == (tmp_path / "p" / "a.jpg", tmp_path / "p" / "b.jpg")
    assert samples.captions == ("x", "y")
    assert label_sets(samples) == [{"dog", "cat"}, {"cat"}]
    assert Naming("4 rows", "2 samples") in samples.notes


def test_a_row_for_each_label_by_image(tmp_path: Path) -> None:
    content = "image,caption,labels\na.jpg,x,dog\na.jpg,x,traffic light\n"
    samples = loaded(
        tmp_path, content, rows="per_label", image_column="image", separator="|", label_case="lower"
    )
    assert (samples.ids, label_sets(samples)) == (("a.jpg",), [{"dog", "traffic light"}])


def test_a_row_for_each_label_needs_ids(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "caption,labels\nx,dog\n", rows="per_label")
    assert "data.rows=per_label" in problem


def test_rows_of_one_id_must_agree(tmp_path: Path) -> None:
    content = (
        "id,image,caption,labels,part,patient\n"
        "1,a.jpg,x,dog,train,p\n1,b.jpg,x,dog,train,p\n2,c.jpg,x,dog,val,p\n2,c.jpg,x,dog,,q\n"
    )
    messages = problems(
        tmp_path,
        content,
        rows="per_label",
        id_column="id",
        image_column="image",
        split_column="part",
        group_column="patient",
    )
    assert Naming("1 ids", "images", "'1'", "line 2") in messages
    assert Naming("1 ids", "groups", "'2'", "line 4") in messages
    assert [m for m in messages if "'c.jpg' (line 5)" in m and "several groups" in m]


def test_rows_of_one_id_are_joined_only_where_it_is_asked_for(tmp_path: Path) -> None:
    content = HEADER + "1,a.jpg,x,dog\n1,a.jpg,y,dog\n"
    (problem,) = problems(tmp_path, content, id_column="id")
    assert problem == Naming("'1'", "twice", "data.caption_use")
    samples = loaded(tmp_path, content, id_column="id", caption_use="join")
    assert samples.captions == ("x y",)


def test_captions_of_one_id_must_have_the_same_labels(tmp_path: Path) -> None:
    content = HEADER + "1,a.jpg,x,dog\n1,a.jpg,y,dog cat\n2,b.jpg,y,cat\n2,b.jpg,z,cat cat\n"
    (problem,) = problems(tmp_path, content, id_column="id", caption_use="first")
    assert problem == Naming("1 ids", "labels", "'1'", "line 2", "data.rows=per_label")


def test_the_advice_for_a_repeated_image_leads_to_one_that_does_not_leak(tmp_path: Path) -> None:
    content = HEADER + "1,a.jpg,x,dog\n2,a.jpg,y,dog\n3,b.jpg,y,dog\n"
    (problem,) = problems(tmp_path, content, image_column="image")
    assert "data.rows=per_label" in problem
    samples = loaded(tmp_path, content, image_column="image", id_column="id")
    assert samples.group_numbers.tolist() == [0, 0, 1]


def test_groups_of_a_column(tmp_path: Path) -> None:
    content = "caption,labels,patient\nx,dog,p2\ny,cat,p1\nz,cat,p2\n"
    samples = loaded(tmp_path, content, group_column="patient")
    assert samples.groups == ("p2", "p1", "p2")
    assert samples.group_numbers.tolist() == [0, 1, 0]
    (problem,) = problems(tmp_path, content + "z,dog,\n", group_column="patient")
    assert problem == Naming("1 rows", "no group", "'patient'", "line 5")


@pytest.mark.parametrize(("unlabelled", "ids"), [("drop", ("2", "4")), ("keep", ("2", "3", "4"))])
def test_samples_without_labels(tmp_path: Path, unlabelled: str, ids: tuple[str, ...]) -> None:
    content = "caption,labels\nx,dog\ny,\nz,cat\n"
    samples = loaded(tmp_path, content, unlabelled=unlabelled)
    assert samples.ids == ids
    assert samples.captions == tuple({"2": "x", "3": "y", "4": "z"}[one] for one in ids)
    assert [note for note in samples.notes if "1 of 3 samples" in note]


def test_a_row_without_a_label_beside_one_with_some(tmp_path: Path) -> None:
    content = "id,caption,labels\n1,x,\n1,x,dog\n2,y,\n"
    samples = loaded(tmp_path, content, id_column="id", rows="per_label", unlabelled="drop")
    assert (samples.ids, label_sets(samples)) == (("1",), [{"dog"}])


def test_a_table_with_no_labelled_row_left(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "caption,labels\nx,\n", unlabelled="drop")
    assert "no labelled rows" in problem


def test_a_table_without_labels_as_one_to_predict_for(tmp_path: Path) -> None:
    content = "caption,part\nx,test\ny,\n"
    samples = loaded(
        tmp_path,
        content,
        label_column=None,
        labels=["dog", "cat"],
        unlabelled="keep",
        split_column="part",
    )
    assert (samples.ids, samples.label_ids) == (("2", "3"), ("dog", "cat"))
    assert samples.labels.tolist() == [[0, 0], [0, 0]]
    unnamed = loaded(tmp_path, content, label_column=None, unlabelled="keep")
    assert (unnamed.ids, unnamed.labels.shape) == (("2", "3"), (2, 0))
    (problem,) = problems(tmp_path, content, label_column=None)
    assert "data.unlabelled=keep" in problem


ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y", "x y"])),
    min_size=1,
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(ROWS)
def test_joined_labels_are_the_union_of_the_rows(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    union: dict[str, set[str]] = {}
    for name, labels in rows:
        union.setdefault(name, set()).update(labels.split())
    content = "id,caption,labels\n" + "".join(f"{name},c,{labels}\n" for name, labels in rows)
    samples = loaded(tmp_path, content, id_column="id", rows="per_label", unlabelled="keep")
    assert dict(zip(samples.ids, label_sets(samples), strict=True)) == union
    assert samples.labels.dtype == np.uint8
