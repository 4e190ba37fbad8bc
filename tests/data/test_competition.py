from __future__ import annotations

from pathlib import Path

import pytest

from mmclf.data.competition import load
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
        ("data", "has no folder data"),
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


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_an_id_that_stands_twice(competition: Path, name: str) -> None:
    body = '0.jpg,1,"a"\n1.jpg,1,"b"\n1.jpg,1,"c"\n' if name == "train.csv" else '1.jpg,1,"d"\n'
    message = error_of(rewrite(competition, name, body))
    assert "the id 1.jpg stands twice" in message


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_rows_without_labels_are_counted(competition: Path, name: str) -> None:
    message = error_of(rewrite(competition, name, '3.jpg,1,"a"\n2.jpg,,"b"\n1.jpg,,"c"\n'))
    assert f"{competition / name}, line 3: 2.jpg has no labels (2 such rows of 3)" in message


def test_a_training_table_without_the_column_of_labels(competition: Path) -> None:
    (competition / "train.csv").write_text('ImageID,Caption\n0.jpg,"a"\n')
    assert "line 2: 0.jpg has no labels (1 such rows of 1)" in error_of(competition)


@pytest.mark.parametrize("name", ["train.csv", "rows.csv"])
def test_a_training_table_without_rows(competition: Path, name: str) -> None:
    rewrite(competition, name, "")
    with pytest.raises(InputError, match=f"{name} has no rows; expected at least one sample"):
        load(str(competition), train_csv=name)


def test_a_test_table_without_rows_is_no_test_set(competition: Path) -> None:
    (competition / "train_b.csv").write_text(HEADER)
    assert len(load(str(competition), test_csv="train_b.csv")) == 3


@pytest.mark.parametrize(
    ("gone", "listed"),
    [(1, "1 of 8 images are not in {}: 10.jpg"), (5, "10.jpg, 11.jpg, 12.jpg, 13.jpg, 14.jpg")],
)
def test_missing_images_are_counted_and_listed(competition: Path, gone: int, listed: str) -> None:
    ids = [*range(3), *range(10, 15)]
    for i in range(10 + gone, 15):
        (competition / "data" / f"{i}.jpg").touch()
    message = error_of(rewrite(competition, "train.csv", "".join(f'{i}.jpg,1,"a"\n' for i in ids)))
    assert message.startswith(f"{gone} of 8 images are not in {competition / 'data'}: ")
    assert message.endswith(listed.format(competition / "data"))


def test_of_many_missing_images_five_are_listed(competition: Path) -> None:
    body = "".join(f'{i}.jpg,1,"a"\n' for i in range(20, 27))
    message = error_of(rewrite(competition, "train.csv", body))
    assert message.endswith("20.jpg, 21.jpg, 22.jpg, 23.jpg, 24.jpg and 2 more")


def test_a_test_label_that_training_lacks(competition: Path) -> None:
    message = error_of(rewrite(competition, "test.csv", '3.jpg,1 11,"a cat"\n'))
    assert f"{competition / 'test.csv'}, line 2: 3.jpg has the label '11'" in message
    assert "no training sample has; did you mean" in message
    assert "valid: 1, 10, 19, 2" in message


def test_the_real_slice(real_data: Path) -> None:
    samples = load(str(real_data))
    assert samples.ids == tuple(f"{i}.jpg" for i in range(8000))
    assert samples.label_ids == tuple(str(i) for i in range(1, 20) if i != 12)
    # As stated beside the data: person on 76 % of the images, 1.55 labels an image.
    assert samples.labels[:, 0].mean() == pytest.approx(0.76, abs=0.01)
    assert samples.labels.sum() / len(samples) == pytest.approx(1.55, abs=0.02)
