"""What every finding counts and names, on samples made by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from message_facts import Naming

from mmclf.data.checks.check import Check
from mmclf.data.checks.checkup import (
    check_captions,
    check_images,
    check_labels,
    check_same_images,
    check_samples,
    problem_checks,
)
from mmclf.data.checks.labels import label_rows
from mmclf.data.image_locations import ImageLocation, ParquetCell
from mmclf.data.images import ImageBytes, decode_image
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.errors import InputError

NAMES = ("t-shirt", "traffic light")
FEW = "labels fewer than 10 times in training"


def made(
    captions: Sequence[str],
    labels: Sequence[Sequence[int]] | None = None,
    images: Sequence[ImageLocation] = (),
) -> Samples:
    count = len(captions)
    return Samples(
        ids=tuple(f"{i}.png" for i in range(count)),
        images=tuple(images),
        captions=tuple(captions),
        labels=np.array(labels if labels is not None else [[1, 0]] * count, dtype=np.uint8),
        label_ids=NAMES,
        label_names=NAMES,
        own_val=np.zeros(count, dtype=bool),
        own_test=np.zeros(count, dtype=bool),
    )


def cut(train: int, val: int, test: int) -> Parts:
    train_rows, val_rows, test_rows = np.split(np.arange(train + val + test), [train, train + val])
    return Parts(train_rows, val_rows, test_rows)


def results(checks: Sequence[Check]) -> dict[str, tuple[str, str]]:
    return {check.name: (check.status, check.detail) for check in checks}


def test_an_errors_findings_are_problems() -> None:
    assert problem_checks("data", InputError("one", "two")) == [
        Check("bad", "data", "one"),
        Check("bad", "data", "two"),
    ]


def test_samples_are_counted() -> None:
    samples = made(["a red  bike", "", "a\nlight", "one"], [[1, 0], [1, 1], [1, 0], [0, 1]])
    assert results(check_samples(samples, cut(2, 1, 1))) == {
        "samples": ("ok", Naming("4", "train 2", "val 1", "test 1")),
        "ids": ("ok", Naming("once")),
        "labels": ("ok", Naming("2", "1.25", "3")),
        "words a caption": ("ok", Naming("1.5", "3")),
    }
    assert results(check_samples(samples, None))["samples"] == ("ok", "4")


def test_captions_that_are_all_their_own() -> None:
    assert set(results(check_captions(made(["a", "b", "c"]), cut(1, 1, 1))).values()) == {
        ("ok", "none")
    }


def test_captions_that_stand_in_training_too() -> None:
    captions = ["A dog", "", "a  dog", "two\ncats", "a cat", "two cats", " ", "a Dog"]
    assert results(check_captions(made(captions), cut(4, 1, 3))) == {
        "empty captions": ("note", Naming("2 of 8", "1.png", "6.png")),
        "same captions": (
            "note",
            Naming("5 of 8", "2 groups", "'A dog'", "3", "'two cats'", "2"),
        ),
        "val captions in training": ("ok", "none"),
        "test captions in training": (
            "note",
            Naming("2 of 3", "66.67", "5.png", "7.png"),
        ),
    }


def test_the_most_frequent_captions_come_first_and_five_are_listed() -> None:
    captions = [f"caption {i}" for i in range(7) for _ in range(2 + i % 3)]
    _, actual = results(check_captions(made(captions), None))["same captions"]
    assert actual == Naming("20 of 20", "7 groups", "2 more")
    assert re.findall(r"'caption (\d)' \((\d)", actual) == [
        ("2", "4"),
        ("5", "4"),
        ("1", "3"),
        ("4", "3"),
        ("0", "2"),
    ]


def test_one_group_of_captions_without_parts() -> None:
    assert results(check_captions(made(["a", "a", "b"]), None)) == {
        "empty captions": ("ok", "none"),
        "same captions": ("note", Naming("2 of 3", "1 group", "'a'", "2")),
    }


def test_no_captions_at_all() -> None:
    (check,) = check_captions(made(["", " "]), None)
    assert (check.status, check.name) == ("note", "empty captions")
    assert check.detail == Naming("all", "text=none")


def reason(path: ImageLocation, why: str) -> str:
    return f"{path} cannot be read as an image ({why}): replace the file, or remove its row"


def test_images_that_are_missing_or_broken(tmp_path: Path) -> None:
    images = [tmp_path / f"{i}.png" for i in range(10)]
    for path in images[6:]:
        path.write_bytes(b"")
    why = {i: reason(images[i], "No such file or directory") for i in range(6)}
    why[8] = reason(images[8], "it is empty")
    samples = made(["a"] * 10, images=images)
    missing = "6 of 10", *(f"{i}.png" for i in range(5)), "1 more"
    broken = "1 of 10", "8.png", "empty"

    strict = results(check_images(samples, why, size=64, on_bad_image="error"))
    assert strict == {
        "images": ("ok", Naming("3 of 10", "64")),
        "missing images": ("bad", Naming(*missing, "data.on_bad_image=skip")),
        "unreadable images": ("bad", Naming(*broken, "data.on_bad_image=skip")),
    }
    lenient = results(check_images(samples, why, size=64, on_bad_image="skip"))
    assert lenient["missing images"] == ("note", Naming(*missing))
    assert lenient["unreadable images"] == ("note", Naming(*broken))
    assert not any("data.on_bad_image" in detail for _, detail in lenient.values())


def test_images_inside_a_file_are_missing_without_bytes(tmp_path: Path) -> None:
    cells = [ParquetCell(tmp_path / "t.parquet", "image", row) for row in range(3)]
    why = {}
    for row, content in ((1, None), (2, b"no picture")):
        with pytest.raises(InputError) as caught:
            decode_image(ImageBytes(str(cells[row]), content), 4)
        why[row] = str(caught.value)
    samples = made(["a"] * 3, images=cells)
    checks = results(check_images(samples, why, size=64, on_bad_image="skip"))
    assert checks["missing images"][1] == Naming("1 of 3", "1.png")
    assert checks["unreadable images"][1] == Naming("1 of 3", "2.png")


def test_no_image_left_is_a_problem_either_way(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    actual = check_images(
        made(["a"], images=[path]), {0: reason(path, "x")}, size=64, on_bad_image="skip"
    )
    status, detail = results(actual)["missing images"]
    assert (status, detail) == ("bad", Naming("1 of 1", "0.png"))
    assert "data.on_bad_image" not in detail


def test_an_image_that_cannot_be_asked_for_is_missing() -> None:
    too_long = Path("x/" * 3000, "0.png")
    samples = made(["a", "b"], images=[too_long, too_long])
    checks = results(check_images(samples, {0: "x"}, size=64, on_bad_image="skip"))
    assert checks["missing images"][1] == Naming("1 of 2", "0.png")


def test_all_images_read() -> None:
    samples = made(["a"], images=[Path("0.png")])
    assert results(check_images(samples, {}, size=224, on_bad_image="error")) == {
        "images": ("ok", Naming("1 of 1", "224")),
        "missing images": ("ok", "none"),
        "unreadable images": ("ok", "none"),
    }


def alike(*numbers: int) -> str:
    return " = ".join(f"'{number}.png'" for number in numbers)


def test_pictures_that_stand_more_than_once() -> None:
    samples = made(["a"] * 9, [[1, 0]] * 8 + [[0, 1]])
    groups = ((0, 1), (2, 3, 4, 5, 8), (6, 7))
    first, second, third = alike(0, 1), alike(2, 3, 4), alike(6, 7)
    assert results(check_same_images(samples, groups, cut(4, 3, 2))) == {
        "same images": (
            "note",
            Naming("9 of 9", "3 groups", first, second, "2 more", third),
        ),
        "same image, other labels": (
            "note",
            Naming("1 of 3", second, "2 more"),
        ),
        "same image, several parts": (
            "bad",
            Naming("2 of 3", second, "2 more", third),
        ),
        "val images in training": ("bad", Naming("2 of 3", "66.67", "4.png", "5.png")),
        "test images in training": ("bad", Naming("1 of 2", "50.00", "8.png")),
    }


def test_pictures_that_are_all_their_own() -> None:
    checks = results(check_same_images(made(["a", "b", "c"]), (), cut(1, 1, 1)))
    assert len(checks) == 5
    assert set(checks.values()) == {("ok", "none")}
    assert set(results(check_same_images(made(["a"]), (), None))) == {
        "same images",
        "same image, other labels",
    }


def about(labels: Sequence[Sequence[int]], parts: Parts) -> dict[str, tuple[str, str]]:
    samples = made([""] * len(labels), labels)
    return results(check_labels(samples, parts, label_rows(samples, parts)))


def test_labels_of_which_there_are_enough_in_training() -> None:
    labels = [[1, 1]] * 10 + [[1, 0]] * 10 + [[1, 1], [1, 0]] * 2
    assert about(labels, cut(20, 2, 2)) == {
        "labels not in training": ("ok", "none"),
        "labels not in val": ("ok", "none"),
        "labels not in test": ("ok", "none"),
        FEW: ("ok", "none"),
        "balance of the split": (
            "ok",
            Naming("'t-shirt'", "val", "1.00", "train", "100.00", "100.00"),
        ),
    }


def test_a_rare_label_out_of_balance() -> None:
    labels = [[1, 1]] * 9 + [[1, 0]] * 11 + [[1, 1], [1, 0]] + [[1, 1], [1, 1]]
    assert about(labels, cut(20, 2, 2)) == {
        "labels not in training": ("ok", "none"),
        "labels not in val": ("ok", "none"),
        "labels not in test": ("ok", "none"),
        FEW: ("note", Naming("1 of 2", "'traffic light'", "9")),
        "balance of the split": (
            "note",
            Naming("1 of 2", "2", "'traffic light'", "test", "2.22", "train", "45.00", "100.00"),
        ),
    }


@pytest.mark.parametrize(
    ("test", "facts"),
    [([[1, 1]], ["0 in val", "1 in test"]), ([[1, 0]], ["no positive"])],
)
def test_a_label_that_training_lacks(test: list[list[int]], facts: list[str]) -> None:
    actual = about([[1, 0]] * 11 + test, cut(10, 1, 1))
    verdict, what = actual["labels not in training"]
    assert verdict == "bad"
    assert what == Naming("'traffic light'", *facts)
    assert actual[FEW] == ("ok", "none")
    # What training lacks has no balance.
    assert "'t-shirt'" in actual["balance of the split"][1]


def test_without_any_label_in_training_there_is_no_balance() -> None:
    actual = about([[0, 0], [1, 1], [1, 1]], cut(1, 1, 1))
    assert "balance of the split" not in actual
