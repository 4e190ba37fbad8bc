"""What `image.size=auto` stands for, where it is refused, and what is tracked of it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import pytest

from mmclf import compose, run
from mmclf.cli.main import main
from mmclf.config.schema import Composed
from mmclf.errors import InputError
from mmclf.models import vision
from mmclf.models.vision import trained_size
from mmclf.pipeline.image_size import check_one_size, resolved, sized, with_image_size
from mmclf.studies.arms import compose_study


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"store.dir={tmp_path}"


def auto(store: str, *more: str) -> Composed:
    return compose([store, "image.size=auto", *more])


# As in timm's tables of pretrained models.
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tf_efficientnet_lite0.in1k", 224),
        ("tf_efficientnet_lite1.in1k", 240),
        ("tf_efficientnet_lite2.in1k", 260),
        ("tf_efficientnetv2_s.in21k_ft_in1k", 300),  # though it is tested at 384
        ("vit_base_patch16_384.augreg_in21k_ft_in1k", 384),
        ("resnet18", 224),
    ],
)
def test_a_model_of_timm_was_trained_on_a_size(name: str, size: int) -> None:
    assert trained_size(name) == (size, size)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError, match="timm has no model"):
        trained_size("resnet18000")


def test_auto_becomes_pixels_in_the_config_and_in_what_is_tracked(store: str) -> None:
    given = auto(store, "vision=timm", "vision.name=tf_efficientnet_lite1.in1k")
    assert given.config.image.size == given.tree["image"]["size"] == "auto"
    actual = with_image_size(given)
    assert actual.config.image.pixels == actual.tree["image"]["size"] == 240
    assert actual.config == resolved(given.config) == sized(given.config)
    assert actual.overrides == given.overrides
    assert given.tree["image"]["size"] == "auto"


def test_a_size_that_is_given_stays(store: str) -> None:
    given = compose([store, "image.size=96", "vision=resnet18"])
    assert with_image_size(given) == given
    assert compose([store]).config.image.size == 224  # auto is not the default


def test_without_an_image_encoder_there_is_no_size(store: str) -> None:
    given = auto(store)
    assert with_image_size(given) == given
    with pytest.raises(InputError, match=r"image\.size=auto: .*no image encoder"):
        sized(given.config)


def test_an_encoder_that_does_not_say_is_refused(store: str) -> None:
    given = auto(store, "vision=resnet18")
    given.config.vision.part["_target_"] = "torch.nn.Flatten"
    with pytest.raises(InputError, match=r"image\.size=auto: torch\.nn\.Flatten "):
        sized(given.config)


def test_images_that_are_no_squares_are_refused(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision, "trained_size", lambda _: (256, 128))
    with pytest.raises(InputError, match="256 x 128"):
        sized(auto(store, "vision=resnet18").config)


def test_timm_is_asked_once(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = auto(store, "vision=resnet18").config
    first = sized(config)

    def never(_: str) -> NoReturn:
        pytest.fail("timm was asked again")

    monkeypatch.setattr(vision, "trained_size", never)
    assert sized(config) == first


def test_several_sizes_are_refused_and_one_is_not(store: str) -> None:
    small = auto(store, "vision=resnet18").config
    same = auto(store, "vision=efficientnet_lite0").config
    larger = auto(store, "vision=efficientnet_v2_s").config
    given = compose([store, "vision=efficientnet_v2_s", "image.size=300"]).config
    check_one_size({"a": small, "b": same, "text": auto(store).config, "given": given})
    with pytest.raises(InputError) as caught:
        check_one_size({"a": small, "b": same, "c": larger})
    (message,) = caught.value.problems
    assert "a 224, c 300" in message


STUDY = """\
# @package _global_
defaults:
  - override /hydra/sweeper: study
study:
  question: Which one?
  design: one_at_a_time
  factors:
    vision: [resnet18, {}]
"""


@pytest.mark.parametrize(("level", "fits"), [("resnet50", True), ("efficientnet_v2_s", False)])
def test_a_study_of_several_sizes_is_refused(
    store: str, tmp_path: Path, level: str, fits: bool
) -> None:
    (tmp_path / "conf" / "study").mkdir(parents=True)
    (tmp_path / "conf" / "study" / "own.yaml").write_text(STUDY.format(level))
    with nullcontext() if fits else pytest.raises(InputError, match="stands for several sizes"):
        compose_study([store, "study=own", "image.size=auto"], tmp_path / "conf")


def test_a_sweep_of_several_sizes_is_refused(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["-m", store, f"output_dir={tmp_path}", "image.size=auto"]
    assert main([*lines, "vision=resnet18,efficientnet_v2_s", "++vision.weights=random"]) == 2
    assert "vision=efficientnet_v2_s 300" in capsys.readouterr().err
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("value", ["15", "4097", "large", "224.5", "null"])
def test_what_is_no_size_is_refused_in_one_line(store: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        compose([store, f"image.size={value}"])
    (message,) = caught.value.problems
    assert "image.size" in message
    assert "auto" in message


@pytest.mark.slow
def test_a_run_of_auto_is_one_of_its_pixels(store: str, tmp_path: Path) -> None:
    small = ["vision=timm", "vision.name=test_vit", "vision.weights=random", "trainer.epochs=1"]
    lines = [store, f"output_dir={tmp_path}", "text=none", "data.train=60", "data.test=20", *small]
    first = run(compose([*lines, "image.size=auto"]))
    again = run(compose([*lines, "image.size=160"]))
    assert again.metrics["time/cold_s"] == first.metrics["time/cold_s"]  # from the store
    assert predictor_size(first.run_id, tmp_path) == 160


def predictor_size(run_id: str, folder: Path) -> int:
    """The size that the run's model is recorded with."""
    (record,) = (folder / "artifacts").rglob(f"{run_id}/**/model.json")
    size: int = json.loads(record.read_text(encoding="utf-8"))["image"]["size"]
    return size
