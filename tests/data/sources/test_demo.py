"""The demo: its layout, that it is made once and whole, and what each modality tells."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from message_facts import Naming
from numpy.typing import NDArray
from PIL import Image

import mmclf
from mmclf.data.samples import Samples
from mmclf.data.sources import demo
from mmclf.data.sources.competition_csv import read_rows
from mmclf.data.sources.demo import Scene, generate, load
from mmclf.data.sources.demo_pictures import GROUNDS, SHAPES, draw_jpeg
from mmclf.errors import InputError

SMALL = {"seed": 3, "train": 5, "test": 2}
LABELS = list(demo.LABEL_IDS)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def folders(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if path.is_dir())


def pixels(jpeg: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(jpeg)), dtype=np.int16)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("demo") / "deep" / "root", **SMALL)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The demo at its default size."""
    return load(str(tmp_path_factory.mktemp("demo") / "root"))


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(islice(demo.sample_scenes(np.random.default_rng(0)), 1200))


# Files


def test_layout_of_the_competition(made: Path) -> None:
    train, test = read_rows(made / "train.csv"), read_rows(made / "test.csv")
    assert [row.id for row in train] == [f"{i}.jpg" for i in range(5)]
    assert [row.id for row in test] == ["25000.jpg", "25001.jpg"]
    pictures = {f"data/{row.id}" for row in train + test}
    assert set(contents(made)) == {"train.csv", "test.csv", "demo.json"} | pictures
    assert json.loads((made / "demo.json").read_text()) == SMALL | {"version": demo.VERSION}
    with Image.open(made / "data/2.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (320, 240))


def test_same_arguments_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    assert contents(generate(tmp_path / "again", **SMALL)) == contents(made)


def test_a_version_shows_the_same_everywhere(made: Path) -> None:
    # If this fails for a change that is meant, raise VERSION there and in conf/data/demo.yaml.
    tables = (made / "train.csv").read_bytes() + (made / "test.csv").read_bytes()
    assert (demo.VERSION, hashlib.sha256(tables).hexdigest()[:16]) == (2, "01900806a29dc087")


def test_the_folder_is_named_by_the_version() -> None:
    root = mmclf.compose(["output_dir=here"]).config.data.part["root"]
    assert root == f"here/store/demo/v{demo.VERSION}-0-1200-400"


def test_another_seed_and_the_test_set_show_other_things(made: Path, tmp_path: Path) -> None:
    other = contents(generate(tmp_path / "other", **(SMALL | {"seed": 4})))
    own = contents(made)
    assert all(other[name] != content for name, content in own.items())
    assert len({content for name, content in own.items() if name.startswith("data/")}) == 7


def test_a_larger_demo_starts_with_the_smaller_one(made: Path, tmp_path: Path) -> None:
    larger = contents(generate(tmp_path / "larger", seed=3, train=7, test=3))
    for name, content in contents(made).items():
        if name != demo.MANIFEST:
            assert larger[name].startswith(content)
    assert len(larger["train.csv"]) > len((made / "train.csv").read_bytes())


def test_a_finished_demo_is_left_alone(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    assert generate(made, **SMALL) == made
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_processes_at_once_make_it_once(made: Path, tmp_path: Path) -> None:
    root, log = tmp_path / "root", tmp_path / "log"
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    workers = [spawn.Process(target=generate_logged, args=(root, log, barrier)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_text() == "drawn\n" * 7
    # Each of them hashes texts in its own way, so this also tells that nothing rests on it.
    assert contents(root) == contents(made)


def generate_logged(root: Path, log: Path, barrier: Barrier) -> None:
    """Generate in a process of its own, with a line in `log` for every picture."""

    def logged(names: Sequence[str], place: str, rng: np.random.Generator) -> bytes:
        with log.open("a") as file:
            file.write("drawn\n")
        return draw_jpeg(names, place, rng)

    pytest.MonkeyPatch().setattr(demo, "draw_jpeg", logged)
    barrier.wait(300)
    generate(root, **SMALL)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_interrupted_generation_leaves_no_demo_and_can_be_repeated(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    root = tmp_path / "root"
    drawn = []

    def failing(*arguments: object) -> bytes:
        drawn.append(arguments)
        if len(drawn) == 6:
            raise error
        return b"half"

    with monkeypatch.context() as patched:
        patched.setattr(demo, "draw_jpeg", failing)
        with pytest.raises(error):
            generate(root, **SMALL)
    assert not root.exists()
    assert len(folders(tmp_path)) == 1
    assert contents(generate(root, **SMALL)) == contents(made)
    assert folders(tmp_path) == ["root"]


@pytest.mark.parametrize(
    ("file", "text"), [("train.csv", "mine"), ("demo.json", '{"version": 1, "seed": 3}')]
)
def test_what_is_not_this_demo_is_refused_and_kept(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError, match=r"^data\.root: ") as caught:
        generate(tmp_path, **SMALL)
    assert str(tmp_path) in str(caught.value)
    assert contents(tmp_path) == {file: text.encode()}


def test_an_empty_folder_is_used(made: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    assert contents(generate(tmp_path / "root", **SMALL)) == contents(made)


@pytest.mark.parametrize(
    ("name", "value"), [("seed", -1), ("train", 0), ("train", 25_001), ("test", 0)]
)
def test_arguments_out_of_range_are_named(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(InputError, match=Naming(f"data.{name}", value).pattern):
        generate(tmp_path / "root", **(SMALL | {name: value}))
    assert not any(tmp_path.iterdir())


# Labels


def test_it_is_a_source_with_a_labelled_test_set(samples: Samples) -> None:
    assert samples.own_test.tolist() == [False] * 1200 + [True] * 400
    assert samples.label_ids == tuple(str(i) for i in [*range(1, 12), *range(13, 20)])
    assert samples.label_names == tuple(LABELS)
    named = dict(zip(samples.label_ids, samples.label_names, strict=True))
    some = [named[i] for i in ("1", "3", "13", "19")]
    assert some == ["person", "car", "stop sign", "horse"]


def test_labels_are_as_uneven_as_in_the_competition(samples: Samples) -> None:
    for part in (samples.labels[:1200], samples.labels[1200:]):
        shares = part.mean(axis=0)
        assert 0.68 <= shares[0] <= 0.82
        assert shares[0] == shares.max()
        assert 0.01 <= shares.min() <= 0.02
        assert 1.5 <= part.sum(axis=1).mean() <= 2.0


@pytest.mark.parametrize("seed", range(20))
def test_sixty_samples_have_every_label(seed: int) -> None:
    scenes = list(islice(demo.sample_scenes(np.random.default_rng(seed)), 120))
    for some in (scenes[:60], scenes[60:]):
        assert {label for scene in some for label in scene.labels} == set(demo.LABEL_IDS.values())


# Captions


def test_captions_name_some_of_the_labels(scenes: list[Scene]) -> None:
    """Of a label's nouns those that no other thing has tell that it is there."""
    nouns = Counter(noun for thing in demo.THINGS.values() for noun in thing.nouns)
    rng = np.random.default_rng(0)
    captions = [demo.write_caption(scene, rng).lower() for scene in scenes]
    for label in LABELS:
        own = [noun for noun in demo.THINGS[label].nouns if nouns[noun] == 1]
        said = re.compile(rf"\b({'|'.join(own)})\b")
        naming = {i for i, caption in enumerate(captions) if said.search(caption)}
        showing = {i for i, scene in enumerate(scenes) if demo.LABEL_IDS[label] in scene.labels}
        assert naming < showing, label
        assert 0.2 < len(naming) / len(showing) < 0.85, label


def test_captions_vary(samples: Samples) -> None:
    assert len(set(samples.captions)) > 1200
    assert 7 <= np.mean([len(caption.split()) for caption in samples.captions]) <= 13
    assert any('"' in caption for caption in samples.captions)


# Pictures


@pytest.mark.parametrize("name", LABELS)
def test_a_thing_is_plain_to_see_in_about_half_of_its_pictures(name: str) -> None:
    differences = []
    for seed in range(30):
        empty, shown = (
            pixels(draw_jpeg(names, "street", np.random.default_rng(seed)))
            for names in ((), (name,))
        )
        differences.append(np.percentile(np.abs(shown - empty), 99.9))
    # The ground is the same, the noise is not.
    plain = np.array(differences) > 70
    assert 0.25 < plain.mean() < 0.75


def test_every_thing_has_a_shape_and_every_place_a_ground(scenes: list[Scene]) -> None:
    assert set(SHAPES) == set(demo.THINGS) == {thing for scene in scenes for thing in scene.things}
    assert len({str(shapes) for shapes in SHAPES.values()}) == len(SHAPES)
    assert set(GROUNDS) == set(demo.PLACES) == {scene.place for scene in scenes}
