"""What becomes of images that cannot be read: the run stops, or goes on without their samples."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from message_facts import Naming
from PIL import Image

import mmclf
from mmclf.cli.main import main
from mmclf.data.sources.competition_csv import write_rows
from mmclf.errors import InputError
from mmclf.pipeline.run_data import RunData, load_run_data, open_store
from mmclf.storage.tracking import Tracker

COUNT = 40


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Forty pictures of two labels; the colour tells the label."""
    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    for i in range(COUNT):
        Image.new("RGB", (20, 16), (i, 250 * (i % 2), 0)).save(folder / "data" / f"{i}.png")
    rows = [(f"{i}.png", [str(1 + i % 2)], f"caption {i}") for i in range(COUNT)]
    write_rows(folder / "train.csv", rows)
    return folder


def overrides(root: Path, *more: str) -> list[str]:
    return [
        "data=competition",
        f"data.root={root}",
        f"output_dir={root.parent}/outputs",
        "vision=timm",
        "vision.name=test_efficientnet",
        "vision.weights=random",
        "image.size=32",
        "trainer.epochs=1",
        "encode.precision=fp32",
        *more,
    ]


def loaded(given: list[str]) -> RunData:
    config = mmclf.compose(given).config
    with open_store(config, "2 x CPU") as store:
        return load_run_data(config, store)


def run_data_of(root: Path, *more: str) -> RunData:
    return loaded(overrides(root, *more))


def damage(root: Path) -> None:
    (root / "data" / "7.png").unlink()
    (root / "data" / "11.png").write_bytes(b"no picture")


def test_every_sample_has_its_picture(root: Path) -> None:
    data = run_data_of(root)
    assert data.images is not None
    shown = data.images.pictures[:, 0, 0, 0]
    assert [f"{i}.png" for i in shown] == list(data.samples.ids)
    assert data.images.unreadable == {}


def test_bad_images_stop_the_run_and_are_all_listed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(root)
    assert main(overrides(root)) == 2
    message = capsys.readouterr().err
    assert message == Naming("2 of 40", "data.on_bad_image=skip")
    assert "7.png" in message
    assert "11.png" in message
    everything = (root.parent / "outputs" / "bad_images.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in everything] == ["ImageID", "7.png", "11.png"]
    tracker = Tracker(
        f"sqlite:///{root.parent}/outputs/mlflow.db", "mmclf", root.parent / "outputs"
    )
    assert tracker.runs() == []


def test_many_bad_images_are_counted(root: Path) -> None:
    for i in range(8):
        (root / "data" / f"{i}.png").unlink()
    with pytest.raises(InputError, match=r"8 of 40 .*3 more .*bad_images\.csv"):
        run_data_of(root)


def test_bad_images_are_left_out_counted_and_logged(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(root)
    data = run_data_of(root, "data.on_bad_image=skip")
    assert capsys.readouterr().err == Naming("2 of 40")
    used = np.concatenate([rows for _, rows in data.parts.items()])
    assert sorted(used) == [i for i in range(COUNT) if i not in (7, 11)]

    result = mmclf.run(mmclf.compose(overrides(root, "data.on_bad_image=skip")))
    assert result.metrics["data/skipped_images"] == 2
    left = root.parent / "outputs" / "artifacts" / result.run_id / "artifacts"
    with (left / "skipped_images.csv").open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert [row["ImageID"] for row in listed] == ["7.png", "11.png"]
    ids = [
        str(one)
        for part in ("val", "test")
        for one in np.load(left / "predictions" / f"{part}.npz")["ids"]
    ]
    assert not {"7.png", "11.png"} & set(ids)


@pytest.mark.parametrize("name", ["7.PNG", "7.png.jpg"])
def test_the_file_that_is_there_is_named(root: Path, name: str) -> None:
    (root / "data" / "7.png").rename(root / "data" / name)
    with pytest.raises(InputError) as caught:
        run_data_of(root)
    message = str(caught.value)
    assert f"but there is {name}" in message
    assert ("data.image_suffix=.jpg" in message) == (name == "7.png.jpg")


def test_what_is_left_out_does_not_change_the_split(root: Path) -> None:
    """A run on captions alone has the same test set but for the samples left out."""
    captions = ["vision=none", "text=tfidf", "text.min_df=1", f"data.root={root}"]
    whole = loaded(["data=competition", *captions, f"output_dir={root.parent}/outputs"]).parts
    damage(root)
    left = run_data_of(root, "data.on_bad_image=skip").parts
    for name, rows in whole.items():
        assert list(left[name]) == [i for i in rows if i not in (7, 11)]


def test_a_part_of_which_nothing_is_left_is_an_error(root: Path) -> None:
    test = [(f"{i}.png", [str(1 + i % 2)], "x") for i in range(90, 95)]
    write_rows(root / "test.csv", test)
    with pytest.raises(InputError, match=Naming("5 samples", "test").pattern):
        run_data_of(root, "data.on_bad_image=skip")


def test_captions_alone_need_no_images(root: Path) -> None:
    for path in (root / "data").iterdir():
        path.unlink()
    data = loaded(["data=competition", f"data.root={root}", f"output_dir={root.parent}/o"])
    assert (data.images, len(data.samples)) == (None, COUNT)


def test_a_table_without_images_needs_vision_none(root: Path) -> None:
    rows = [f"caption {i},{1 + i % 2}" for i in range(COUNT)]
    (root / "table.csv").write_text("caption,labels\n" + "\n".join(rows) + "\n")
    given = overrides(root)[1:]
    with pytest.raises(InputError, match=r"no images .*vision=none"):
        loaded(["data=table", "data.file=table.csv", "data.image_column=null", *given])
