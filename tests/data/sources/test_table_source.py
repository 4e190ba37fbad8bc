from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.samples import Samples
from mmclf.data.sources.table import load
from mmclf.errors import InputError

HEADER = "image,labels,caption\n"
# A value that drawn examples may share a folder of: each one writes its file anew.
SHARED_FOLDER = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of one's own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def loaded(folder: Path, content: str, name: str = "t.csv", **arguments: Any) -> Samples:
    (folder / name).write_text(content, encoding="utf-8", newline="")
    return load(str(folder), name, **arguments)


def problems(folder: Path, content: str, **arguments: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        loaded(folder, content, **arguments)
    return list(caught.value.problems)


def test_a_plain_table(folder: Path) -> None:
    samples = loaded(folder, HEADER + 'a.jpg,dog cat,"a cat, a ""dog"""\nsub/b.png,10 dog,two\n')
    assert samples.ids == ("a.jpg", "sub/b.png")
    assert samples.images == (folder / "a.jpg", folder / "sub" / "b.png")
    assert samples.captions == ('a cat, a "dog"', "two")
    assert samples.label_ids == samples.label_names == ("10", "cat", "dog")
    assert samples.labels.tolist() == [[0, 1, 1], [1, 0, 1]]
    assert samples.own_val.tolist() == samples.own_test.tolist() == [False, False]


def test_nothing_is_taken_for_a_number_or_a_missing_value(folder: Path) -> None:
    odd = ["NA", "nan", "", "None", "null", "007", "1.0", "True", " a ", "-inf"]
    body = "".join(f"{i}.jpg,NA 01 1,{caption}\n" for i, caption in enumerate(odd))
    samples = loaded(folder, HEADER + body)
    assert samples.captions == tuple(odd)
    assert samples.label_ids == ("01", "1", "NA")


def test_columns_of_other_names_in_any_order_beside_others(folder: Path) -> None:
    content = "x, what ,file,key,said\n1,dog,a.jpg,first,hello\n2,cat,a.jpg,second,bye\n"
    samples = loaded(
        folder,
        content,
        image_column="file",
        caption_column="said",
        label_column="what",
        id_column="key",
        images="pictures",
    )
    assert samples.ids == ("first", "second")
    assert samples.images == (folder / "pictures" / "a.jpg",) * 2
    assert samples.captions == ("hello", "bye")


@pytest.mark.parametrize(
    ("separator", "cell"),
    [
        (" ", "t-shirt  dog\tdog"),
        ("|", "t-shirt | dog|"),
        (";", "t-shirt;dog"),
        (",", '"t-shirt, dog"'),
        ("::", "t-shirt::dog"),
    ],
)
def test_separators(folder: Path, separator: str, cell: str) -> None:
    samples = loaded(folder, HEADER + f"a.jpg,{cell},x\n", separator=separator)
    assert samples.label_ids == ("dog", "t-shirt")


def test_labels_with_hyphens_spaces_and_other_letters(folder: Path) -> None:
    samples = loaded(folder, HEADER + "a.jpg,traffic light|t-shirt|猫,x\n", separator="|")
    assert samples.label_names == ("t-shirt", "traffic light", "猫")


@pytest.mark.parametrize(("label", "mark"), [("dog,cat", ","), ("dog;", ";"), ("a|b", "|")])
def test_a_separator_that_was_not_set(folder: Path, label: str, mark: str) -> None:
    (problem,) = problems(folder, HEADER + f'a.jpg,x,y\nb.jpg,"x {label}",y\n')
    place = folder / "t.csv", "line 3"
    assert problem == Naming(*place, repr(label), repr(mark), "data.separator", repr(mark))


def test_labels_may_be_named_in_the_order_wanted(folder: Path) -> None:
    body = HEADER + "a.jpg,1 dog,x\nb.jpg,cat,y\n"
    samples = loaded(folder, body, labels=["dog", "bird", 1, "cat"])
    assert samples.label_ids == ("dog", "bird", "1", "cat")
    assert samples.labels.tolist() == [[1, 0, 1, 0], [0, 0, 0, 1]]
    (problem,) = problems(folder, body + "c.jpg,dgo cat xyz,z\n", labels=["dog", "cat", 1])
    nearest = "'dgo'", "line 4", "'dog'"
    assert problem == Naming(folder / "t.csv", "2", *nearest, "'xyz'", "line 4", "data.labels")


def test_a_table_without_images_or_without_captions(folder: Path) -> None:
    words = loaded(folder, "labels,caption\ncat,a\n\ndog,b\n", image_column=None)
    assert (words.images, words.captions, words.ids) == ((), ("a", "b"), ("2", "4"))
    pictures = loaded(folder, "labels,image\ncat,a.jpg\n", caption_column=None)
    assert (pictures.captions, pictures.ids) == (("",), ("a.jpg",))


PARTS = ["train", "", "val", "Validation", " valid ", "dev", "test", "TEST"]


def test_the_split_column(folder: Path) -> None:
    body = "".join(f"{i}.jpg,dog,x,{part}\n" for i, part in enumerate(PARTS))
    samples = loaded(folder, "image,labels,caption,part\n" + body, split_column="part")
    assert np.flatnonzero(samples.own_val).tolist() == [2, 3, 4, 5]
    assert np.flatnonzero(samples.own_test).tolist() == [6, 7]


def test_parts_that_there_are_not(folder: Path) -> None:
    body = "image,labels,caption,part\na.jpg,x,y,tset\nb.jpg,x,y,fold 3\nc.jpg,x,y,tset\n"
    (problem,) = problems(folder, body, split_column="part")
    actual = "'tset'", "line 2", "'test'", "'fold 3'", "line 3"
    valid = "train, val, validation, valid, dev, test"
    assert problem == Naming(folder / "t.csv", "2", *actual, valid)


def test_test_rows_are_left_out_if_none_of_them_has_a_label(folder: Path) -> None:
    header = "image,labels,caption,part\n"
    body = "a.jpg,x,y,train\nb.jpg,,y,test\nc.jpg,,y,test\n"
    samples = loaded(folder, header + body, split_column="part")
    assert samples.ids == ("a.jpg",)
    some = problems(folder, header + body + "d.jpg,x,y,test\n", split_column="part")
    assert some[0] == Naming(folder / "t.csv", "2 of 4", "labels", "line 3", "line 4")
    validation = problems(folder, header + "a.jpg,x,y,\nb.jpg,,y,val\n", split_column="part")
    assert validation[0] == Naming("1 of 2", "labels", "line 3")
    nothing = problems(folder, header + "b.jpg,,y,test\n", split_column="part")
    assert nothing == [Naming(folder / "t.csv", "no labelled rows")]


def test_all_problems_are_named_at_once(folder: Path) -> None:
    body = "a.jpg,x,1,val\na.jpg,,2,tests\n/b.jpg,z,3,\n,x,4,\n"
    messages = problems(
        folder, "image,labels,caption,part\n" + body, split_column="part", labels=["x", "y"]
    )
    starts = [
        f"{folder / 't.csv'}, line 4: the image '/b.jpg' is an absolute path: expected a path",
        f"{folder / 't.csv'}, line 5: the image '' has an empty name: expected a path inside",
        f"{folder / 't.csv'}: the id 'a.jpg' stands twice; each must be its own: keep one row for "
        "each image; or join its rows, by data.rows=per_label",
        f"{folder / 't.csv'}: 1 unknown parts: 'tests' (line 3, did you mean 'test'?)",
        f"{folder / 't.csv'}: 1 of 4 rows have no labels (line 3)",
        f"{folder / 't.csv'}: 1 unknown labels: 'z' (line 4",
    ]
    assert [one.startswith(start) for one, start in zip(messages, starts, strict=True)] == [
        True
    ] * 6


def test_ids_of_a_column_of_their_own(folder: Path) -> None:
    messages = problems(
        folder, "key,image,labels,caption\n1,a,x,\n,b,x,\n1,c,x,\n,d,x,\n", id_column="key"
    )
    assert messages == [
        Naming(folder / "t.csv", "2", "no id", "line 3", "line 5"),
        Naming(folder / "t.csv", "'1'", "twice", "data.caption_use=join", "data.rows=per_label"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_column": None, "caption_column": None}, Naming("data.caption_column", "null")),
        ({"separator": ""}, Naming("data.separator", "empty")),
        ({"labels": []}, Naming("data.labels", "list", "null")),
        ({"labels": ["a", " "]}, Naming("data.labels", "list", "null")),
        ({"labels": ["a", 1, "1"]}, Naming("data.labels", "'1'", "twice")),
    ],
)
def test_settings_that_cannot_be(folder: Path, arguments: dict[str, Any], words: Naming) -> None:
    (problem,) = problems(folder, HEADER + "a.jpg,a,x\n", **arguments)
    assert problem == words


@pytest.mark.parametrize("missing", ["", "t.csv"])
def test_the_layout_is_shown_where_something_lacks(folder: Path, missing: str) -> None:
    root = folder / "gone" if not missing else folder
    with pytest.raises(InputError) as caught:
        load(str(root), "t.csv", images="pictures")
    message = str(caught.value)
    lacking = ("data.file", root / "t.csv") if missing else ("data.root", root)
    assert message == Naming(*lacking, "ROOT/t.csv")
    assert "ROOT/pictures" in message


def test_columns_that_are_missing_or_stand_twice(folder: Path) -> None:
    messages = problems(folder, "image,label,caption,caption\na,b,c,d\n")
    assert messages == [
        Naming(folder / "t.csv", "2 columns", "'caption'"),
        Naming(folder / "t.csv", "'labels'", "'label'", "caption, image, label"),
    ]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file(folder: Path, content: str) -> None:
    assert problems(folder, content)[0] == Naming("'image'", "none")


def test_a_header_alone(folder: Path) -> None:
    assert problems(folder, HEADER) == [Naming(folder / "t.csv", "no labelled rows")]


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        (
            "a,b\nc,d,e\nf,g,h,i\n",
            Naming("2 rows", "3 fields", "line 2", "2", "line 4", "4"),
        ),
        ('a,b,"c\nd,e,f\n', Naming("line 2", "unexpected end")),
        ('a,b,c\nd,e,"f" g\n', Naming("line 3", "CSV")),
        ('a,b,"c\n\nd"\ne,f,"g"h\n', Naming("line 5", "CSV")),
        (f"a,b,{'c' * 140_000}\n", Naming("line 2", "field")),
    ],
)
def test_records_that_are_no_proper_csv(folder: Path, body: str, facts: Naming) -> None:
    (problem,) = problems(folder, HEADER + body)
    assert problem == facts
    assert "quotes" in problem


def test_bytes_that_are_no_utf8_and_other_files(folder: Path) -> None:
    (folder / "t.csv").write_bytes(HEADER.encode() + b"caf\xe9.jpg,x,y\n")
    with pytest.raises(InputError, match=Naming("t.csv", "line 2", "0xe9", "UTF-8").pattern):
        load(str(folder), "t.csv")
    text, binary = ("csv", "tsv", "tab", "jsonl", "ndjson"), ("parquet", "pq")
    assert problems(folder, HEADER, name="t.xlsx") == [
        Naming(folder / "t.xlsx", *text, "gz", *binary)
    ]


def test_lines_are_counted_through_captions_of_several_lines(folder: Path) -> None:
    (problem,) = problems(folder, HEADER + '1.jpg,x,"a\nb\r\nc"\n\n2.jpg,,"d"\n')
    assert "(line 6)" in problem


@SHARED_FOLDER
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.sampled_from(['"', ",", "\n", "\r", "a.jpg", "x", " ", "\0", "../"])).map(
            lambda pieces: "".join(pieces).encode()
        ),
    ),
    st.booleans(),
    st.sampled_from(["t.csv", "t.tsv", "t.parquet"]),
)
def test_any_bytes_are_samples_or_an_input_error(
    folder: Path, content: bytes, header: bool, name: str
) -> None:
    (folder / name).write_bytes(HEADER.encode() * header + content)
    with contextlib.suppress(InputError):
        samples = load(str(folder), name)
        assert samples.labels.any(axis=1).all()
        assert len(set(samples.ids)) == len(samples) > 0
