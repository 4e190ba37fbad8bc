from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import yaml
from message_facts import Naming
from safetensors.torch import save_file

from mmclf.errors import InputError
from mmclf.models import hub
from mmclf.models.package import file_sha256
from mmclf.models.vision import TimmEncoder
from mmclf.models.weights import module_sha256

LEVELS = sorted((Path(__file__).parents[2] / "conf" / "vision").glob("*.yaml"))
NET = "resnet18"


def settings_of(level: str) -> dict[str, Any]:
    (path,) = (path for path in LEVELS if path.stem == level)
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {k: v for k, v in loaded.items() if k != "_target_"}


def features(encoder: TimmEncoder, count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(count, 3, 64, 64, generator=generator)
    with torch.inference_mode():
        features: torch.Tensor = encoder.eval()(pictures)
    return features


@pytest.fixture(scope="module")
def net() -> TimmEncoder:
    return TimmEncoder(NET, "random")


def test_the_width_is_that_of_the_head() -> None:
    # Its last convolution widens 288 to 1024: num_features would say 288.
    assert TimmEncoder("mobilenetv3_small_050", "random").out_dim == 1024


def test_random_weights_are_the_same_twice(net: TimmEncoder) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = TimmEncoder(NET, "random")
    assert torch.equal(torch.get_rng_state(), before)
    assert module_sha256(again) == module_sha256(net)


def test_mean_and_std_are_those_of_the_weights(net: TimmEncoder) -> None:
    assert (net.mean, net.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    other = TimmEncoder("vit_tiny_patch16_224", "random")
    assert (other.mean, other.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_features_do_not_depend_on_the_batch(net: TimmEncoder) -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(3, 3, 64, 64, generator=generator)
    with torch.inference_mode():
        alone = torch.cat([net.eval()(pictures[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(features(net, 3), alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("classes", [0, 10])
def test_weights_of_a_path(tmp_path: Path, net: TimmEncoder, suffix: str, classes: int) -> None:
    torch.manual_seed(7)
    source = timm.create_model(NET, num_classes=classes)
    path = tmp_path / f"net.{suffix}"
    if suffix == "pth":
        torch.save({"state_dict": source.state_dict()}, path)
    else:
        save_file(source.state_dict(), path)
    loaded = TimmEncoder(NET, str(path))
    source.reset_classifier(0)
    assert module_sha256(loaded.model) == module_sha256(source)
    assert module_sha256(loaded) != module_sha256(net)


def test_weights_of_another_architecture(tmp_path: Path) -> None:
    torch.save(timm.create_model(NET).state_dict(), tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"net\.pth does not fit "):
        TimmEncoder("resnet34", str(tmp_path / "net.pth"))
    with pytest.raises(InputError, match="no weights at"):
        TimmEncoder(NET, str(tmp_path / "gone.pth"))


@pytest.mark.parametrize(
    ("name", "answer"),
    [("resnet18x", "did you mean 'resnet18'"), ("0000000000", "see timm.list_models()")],
)
def test_an_unknown_name(name: str, answer: str) -> None:
    with pytest.raises(InputError) as caught:
        TimmEncoder(name, "random")
    message = str(caught.value)
    assert message == Naming("vision.name", repr(name))
    assert answer in message
    assert len(message) < 200


@pytest.mark.usefixtures("no_network")
def test_weights_of_the_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "hub_is_reachable", lambda: False)
    with pytest.raises(InputError, match=r"weights=hub, but timm/resnet18\.\w+ "):
        TimmEncoder(NET)


@pytest.mark.usefixtures("no_network")
def test_a_model_that_the_hub_has_no_weights_of() -> None:
    with pytest.raises(InputError, match=r"no pretrained weights .*'efficientnet_b8'"):
        TimmEncoder("efficientnet_b8", "hub")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An installed package, its weights file yet to be written."""
    info = tmp_path / "some_weights-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    return {"distribution": "some-weights", "path": "net.pth"}


def saved(package: dict[str, str], folder: Path, state: dict[str, torch.Tensor]) -> dict[str, str]:
    path = folder / package["path"]
    torch.save(state, path)
    return package | {"sha256": file_sha256(path)}


@pytest.mark.parametrize("name", ["mobilenetv2_050", "mobilenetv3_small_050"])
@pytest.mark.parametrize("classes", [1000, 0])
def test_the_file_of_a_package_may_lack_the_classifier(
    tmp_path: Path, package: dict[str, str], name: str, classes: int
) -> None:
    torch.manual_seed(7)
    source = timm.create_model(name, num_classes=classes)
    state = {
        f"other.{i}.{k.rpartition('.')[2]}": v
        for i, (k, v) in enumerate(source.state_dict().items())
    }
    loaded = TimmEncoder(name, "package", saved(package, tmp_path, state))
    source.reset_classifier(0)
    assert module_sha256(loaded.model) == module_sha256(source)


def test_the_file_of_a_package_with_half_a_classifier(
    tmp_path: Path, package: dict[str, str]
) -> None:
    state = timm.create_model(NET).state_dict()
    state.popitem()
    with pytest.raises(InputError, match=Naming("121 tensors", 122).pattern):
        TimmEncoder(NET, "package", saved(package, tmp_path, state))


def test_weights_of_the_package() -> None:
    settings = settings_of("efficientnet_lite0")
    try:
        metadata.distribution(settings["package"]["distribution"])
    except metadata.PackageNotFoundError:
        pytest.skip("the package of the weights is not installed")
    encoder, again = TimmEncoder(**settings), TimmEncoder(**settings)
    assert module_sha256(encoder) == module_sha256(again)
    assert module_sha256(encoder) != module_sha256(TimmEncoder(settings["name"], "random"))
    computed = features(encoder)
    assert computed.shape == (2, 1280)
    assert torch.equal(computed, features(again))
    # Trained statistics, and not the zeros that a new normalisation starts with.
    means = [v for k, v in encoder.state_dict().items() if k.endswith("running_mean")]
    assert all(mean.abs().max() > 0 for mean in means)
