from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.data.samples import Samples
from mmclf.data.sources.competition import load
from mmclf.errors import InputError

HEADER = "ImageID,Labels,Caption\n"


def rewrite(root: Path, name: str, body: str) -> str:
    (root / name).write_text(HEADER + body)
    return str(root)


def error_of(root: str | Path) -> str:
    with pytest.raises(InputError) as caught:
        load(str(root))
    return str(caught.value)


def test_samples_beside_an_unlabelled_test_set(competition: Path) -> None:
    samples = load(str(competition))
    assert samples.ids == ("0.jpg", "1.jpg", "2.jpg")
    assert samples.images == tuple(competition / "data" / f"{i}.jpg" for i in range(3))
    assert samples.captions == ("a man on a horse", 'a "red" bike', "a light")
    assert samples.label_ids == ("1", "2", "10", "19")
    assert samples.labels.tolist() == [[1, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 0]]
    assert samples.own_test.tolist() == [False] * 3
    assert samples.own_val.tolist() == [False] * 3
    assert len(samples) == 3


def test_no_test_set_at_all(competition: Path) -> None:
    (competition / "test.csv").unlink()
    assert len(load(str(competition))) == 3


def test_a_labelled_test_set_is_the_own_test(competition: Path) -> None:
    samples = load(rewrite(competition, "test.csv", '3.jpg,19,"a cat"\n'))
    assert samples.ids[3] == "3.jpg"
    assert samples.captions[3] == "a cat"
    assert samples.own_test.tolist() == [False, False, False, True]
    assert samples.labels[3].tolist() == [0, 0, 0, 1]


def test_other_names_of_files(competition: Path) -> None:
    (competition / "train.csv").rename(competition / "rows.csv")
    (competition / "data").rename(competition / "pictures")
    samples = load(str(competition), train_csv="rows.csv", test_csv="none.csv", images="pictures")
    assert samples.images[2] == competition / "pictures" / "2.jpg"


def test_label_ids_are_sorted_as_numbers_with_their_gaps(competition: Path) -> None:
    numbers = [i for i in range(19, 0, -1) if i != 12]
    body = f'0.jpg,{" ".join(map(str, numbers))},"all"\n'
    samples = load(rewrite(competition, "train.csv", body))
    assert samples.label_ids == tuple(str(i) for i in range(1, 20) if i != 12)
    assert samples.labels.tolist() == [[1] * 18]


def test_labels_that_are_words_are_sorted_as_words(competition: Path) -> None:
    samples = load(rewrite(competition, "train.csv", '0.jpg,dog 10 cat 9,"a"\n'))
    assert samples.label_ids == ("10", "9", "cat", "dog")


def test_names_are_mapped_and_fall_back_to_the_id(competition: Path) -> None:
    samples = load(str(competition), label_names={"1": "person", "19": "horse", "12": "none"})
    assert samples.label_names == ("person", "2", "10", "horse")
    assert load(str(competition)).label_names == ("1", "2", "10", "19")


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("", "there is no folder"),
        ("train.csv", "has no train.csv"),
    ],
)
def test_the_layout_is_shown_where_something_lacks(
    competition: Path, missing: str, words: str
) -> None:
    (competition / missing).rename(competition.parent / "away")
    message = error_of(competition)
    assert message.startswith("data.root: ")
    assert str(competition) in message
    assert words in message
    for line in (
        "ROOT/train.csv  with the columns ImageID,Labels,Caption",
        "ROOT/data/",
        "ROOT/test",
    ):
        assert line in message


def test_images_need_not_exist(competition: Path) -> None:
    (competition / "data").rename(competition.parent / "away")
    assert load(str(competition)).images[0] == competition / "data" / "0.jpg"


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_an_id_that_stands_twice(competition: Path, name: str) -> None:
    body = '0.jpg,1,"a"\n1.jpg,1,"b"\n1.jpg,1,"c"\n' if name == "train.csv" else '1.jpg,1,"d"\n'
    message = error_of(rewrite(competition, name, body))
    assert message == Naming(competition, "'1.jpg'", "twice")


def test_ids_that_stand_twice_are_counted_and_listed(competition: Path) -> None:
    body = "".join(f'{i}.jpg,1,"a"\n' for i in [*range(10, 17), *range(10, 17), 9])
    message = error_of(rewrite(competition, "train.csv", body))
    assert message == Naming("7 ids", "'10.jpg' twice", "'11.jpg' twice", "'12.jpg' twice")


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_rows_without_labels_are_counted_and_listed(competition: Path, name: str) -> None:
    rows = '30.jpg,1,"a"\n' + "".join(f'{i}.jpg,,"b"\n' for i in range(31, 37))
    message = error_of(rewrite(competition, name, rows))
    lines = [f"line {number}" for number in range(3, 8)]
    assert message == Naming(competition / name, "6 of 7", "labels", *lines, "1 more")


def test_a_training_table_without_the_column_of_labels(competition: Path) -> None:
    (competition / "train.csv").write_text('ImageID,Caption\n0.jpg,"a"\n')
    assert error_of(competition) == Naming("train.csv", "1 of 1", "labels", "line 2")


def test_all_findings_are_reported_at_once(competition: Path) -> None:
    rewrite(competition, "train.csv", '0.jpg,1,"a"\n0.jpg,,"b"\n../x.jpg,cat,"c"\n')
    rewrite(competition, "test.csv", '3.jpg,car,"d"\n4.jpg,,"e"\n')
    with pytest.raises(InputError) as caught:
        load(str(competition), label_names={"1": "cat"})
    train, test, data = (competition / name for name in ("train.csv", "test.csv", "data"))
    assert list(caught.value.problems) == [
        Naming(train, "1 of 3", "labels", "line 3"),
        Naming(test, "1 of 2", "labels", "line 3"),
        Naming(competition, "'0.jpg'", "twice"),
        Naming(competition, "'cat'", "twice", "data.label_names"),
        Naming(test, "1", "'car'", "line 2", "'cat'"),
        Naming(train, "line 4", "'../x.jpg'", data),
    ]


@pytest.mark.parametrize("name", ["train.csv", "rows.csv"])
def test_a_training_table_without_rows(competition: Path, name: str) -> None:
    rewrite(competition, name, "")
    with pytest.raises(InputError, match=f"{name} has no rows"):
        load(str(competition), train_csv=name)


def test_a_test_table_without_rows_is_no_test_set(competition: Path) -> None:
    (competition / "train_b.csv").write_text(HEADER)
    assert len(load(str(competition), test_csv="train_b.csv")) == 3


def test_test_labels_that_training_lacks_are_counted_and_listed(competition: Path) -> None:
    rows = ["3.jpg,1 11,a", "4.jpg,11 x-1,b", "5.jpg,x-2 x-3,c", "6.jpg,x-4 x-5 19,d"]
    message = error_of(rewrite(competition, "test.csv", "\n".join(rows) + "\n"))
    near = "'11'", "line 2", "'1'", "'x-1'", "line 3", "'1'", "'x-2'", "line 4", "'2'"
    far = "'x-3'", "line 4", "'x-4'", "line 5", "1 more"
    assert message == Naming(competition / "test.csv", "6", *near, *far)


def test_labels_with_hyphens_and_names_with_spaces(competition: Path) -> None:
    rewrite(competition, "train.csv", '0.jpg,stop-sign t-shirt,"a"\n1.jpg,t-shirt,"b"\n')
    samples = load(str(competition), label_names={"stop-sign": "stop sign"})
    assert samples.label_ids == ("stop-sign", "t-shirt")
    assert samples.label_names == ("stop sign", "t-shirt")
    assert samples.labels.tolist() == [[1, 1], [0, 1]]


def test_labels_of_many_digits_are_sorted_as_numbers(competition: Path) -> None:
    long = "9" * 5000
    samples = load(rewrite(competition, "train.csv", f'0.jpg,10 {long} 2 02,"a"\n'))
    assert samples.label_ids == ("02", "2", "10", long)


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.lists(st.sampled_from(['"', ",", "\n", "1.jpg,", "/../", "a", " ", "\0"])).map(
            lambda pieces: "".join(pieces).encode()
        ),
    ),
    st.sampled_from(["train.csv", "test.csv"]),
)
def test_any_bytes_are_samples_or_an_input_error(
    competition: Path, content: bytes, name: str
) -> None:
    whole = (competition / name).read_bytes()
    (competition / name).write_bytes(HEADER.encode() + content)
    samples: Samples | None = None
    with contextlib.suppress(InputError):
        samples = load(str(competition))
    # The next example finds the other file sound.
    (competition / name).write_bytes(whole)
    if samples is not None:
        assert samples.labels.any(axis=1).all()
        assert all(
            Path(str(image)).is_relative_to(competition / "data") for image in samples.images
        )


def test_a_table_that_cannot_be_read(competition: Path) -> None:
    (competition / "test.csv").write_bytes(b"\xff\xfe")
    assert error_of(competition) == Naming("test.csv", "line 1", "0xff", "UTF-8")


def test_the_real_slice(real_data: Path) -> None:
    samples = load(str(real_data))
    assert samples.ids == tuple(f"{i}.jpg" for i in range(8000))
    assert samples.label_ids == tuple(str(i) for i in range(1, 20) if i != 12)
    # As stated beside the data: person on 76 % of the images, 1.55 labels an image.
    assert samples.labels[:, 0].mean() == pytest.approx(0.76, abs=0.01)
    assert samples.labels.sum() / len(samples) == pytest.approx(1.55, abs=0.02)
