"""A file of the data or of a model changes the keys of the stages that depend on its content."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from planned_keys import BASE, BOTH, LEARNT, NOTHING, TEXT, VISION, Keys, changed, planned

from mmclf.data.images import DecodedImage, decode_image
from mmclf.data.sources.demo import generate
from mmclf.errors import InputError

pytest_plugins = ["stage_key_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_at_hand")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("scenes") / "demo", seed=0, train=60, test=20)


@pytest.fixture
def data(scenes: Path, tmp_path: Path) -> Path:
    """A data set in the competition's layout that may be changed."""
    return shutil.copytree(scenes, tmp_path / "data")


def of_files(conf: Path, data: Path, *lines: str) -> Keys:
    own = ("data=competition", f"data.root={data}", f"output_dir={data.parent / 'outputs'}")
    # A split that does not look at the labels, so that it is not what changes with one.
    return planned(conf, *own, *BASE, "split.method=random", *lines)


def other_picture(data: Path, name: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 10, 10)).save(stream, "JPEG")
    assert (data / "data" / name).is_file()
    (data / "data" / name).write_bytes(stream.getvalue())


def touched(data: Path) -> None:
    for path in data.rglob("*.jpg"):
        os.utime(path)


def rewritten(data: Path) -> None:
    path = data / "data" / "3.jpg"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def other_row(data: Path, file: str, column: int, text: str) -> None:
    """Replace a column, of ImageID,Labels,Caption, in the second sample's row."""
    rows = (data / file).read_text().splitlines()
    cells = rows[2].split(",", 2)
    assert cells[column] != text
    cells[column] = text
    rows[2] = ",".join(cells)
    (data / file).write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(touched, NOTHING, id="touched"),
        pytest.param(rewritten, NOTHING, id="rewritten"),
        pytest.param(lambda data: other_picture(data, "3.jpg"), VISION, id="picture"),
        pytest.param(lambda data: other_picture(data, "25003.jpg"), VISION, id="test picture"),
        pytest.param(lambda data: other_row(data, "train.csv", 2, '"new"'), TEXT, id="caption"),
        pytest.param(lambda data: other_row(data, "test.csv", 2, '"new"'), TEXT, id="test caption"),
        pytest.param(lambda data: other_row(data, "train.csv", 1, "1 2 3"), LEARNT, id="label"),
        pytest.param(lambda data: other_row(data, "test.csv", 1, "1 2 3"), LEARNT, id="test label"),
    ],
)
def test_a_changed_file_changes_the_keys_of_what_depends_on_it(
    conf: Path, data: Path, change: Callable[[Path], None], expected: str
) -> None:
    before = of_files(conf, data)
    change(data)
    assert changed(before, of_files(conf, data)) == set(expected.split())


def test_the_place_of_the_data_changes_nothing(conf: Path, data: Path) -> None:
    before = of_files(conf, data)
    data.rename(data.with_name("moved"))
    assert of_files(conf, data.with_name("moved")) == before


def test_a_test_set_of_the_sources_own_is_left_out_of_the_views(conf: Path, data: Path) -> None:
    before = of_files(conf, data)
    rows = (data / "test.csv").read_text().splitlines()[1:]
    train = (data / "train.csv").read_text().rstrip("\n")
    (data / "train.csv").write_text("\n".join([train, *rows]) + "\n")
    (data / "test.csv").unlink()
    after = of_files(conf, data)
    assert changed(before, after) == {"view1", "text", "fit", "decide"}


def test_a_picture_that_could_not_be_read_for_a_while_is_encoded_once_it_can(
    conf: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path, size: int, crop: float | None) -> DecodedImage:
        if path.name == "3.jpg":
            raise InputError("out of reach: replace the file")
        return decode_image(path, size, crop)

    with monkeypatch.context() as patched:
        patched.setattr("mmclf.data.decoded_images.decode_image", failing)
        without = of_files(conf, data, "data.on_bad_image=skip")
    assert "clean" in changed(without, of_files(conf, data, "data.on_bad_image=skip"))


def test_weights_count_by_their_content(
    keys_of: Callable[..., Keys], conf: Path, outputs: Path, tmp_path: Path
) -> None:
    one, copy = tmp_path / "one.pth", tmp_path / "copy.bin"
    for path in (one, copy):
        path.write_bytes(b"weights")

    def keys(path: Path) -> Keys:
        return planned(conf, f"output_dir={outputs}", *BASE, f"vision.weights={path}")

    before = keys(one)
    assert changed(keys_of(*BASE), before) == {"clean", "view1", "fit", "decide"}
    os.utime(one, (1, 1))
    assert keys(one) == keys(copy) == before
    one.write_bytes(b"Weights")
    assert changed(before, keys(one)) == {"clean", "view1", "fit", "decide"}


def test_a_text_models_folder_counts_by_its_content(
    conf: Path, outputs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text(name)

    def keys(weights: Path) -> Keys:
        return planned(conf, f"output_dir={outputs}", *BOTH, f"text.weights={weights}")

    before = keys(folder)
    assert keys(shutil.copytree(folder, tmp_path / "copy")) == before
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text("other")
        assert changed(before, keys(folder)) == {"text", "fit", "decide"}
        (folder / name).write_text(name)
