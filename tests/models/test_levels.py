"""Every level of the groups that hold a model's parts: composed, built, and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmclf import compose
from mmclf.config.targets import build
from mmclf.models import hub

CONF = Path(__file__).parents[2] / "conf"
CAPTIONS = ["a man on a horse", "two dogs on a sofa", "a man on a sofa", "two horses"]
LABELS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
# What a level leaves open.
OPEN = {
    "timm": ["vision.name=mobilenetv3_small_050"],
    "huggingface": [
        "text.name=nobody/tiny",
        "text.architecture={model_type: bert, hidden_size: 16, intermediate_size: 16}",
        "++text.architecture.num_attention_heads=2",
    ],
}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_network")]


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "hub_is_reachable", lambda: False)


def levels(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def encoders(group: str) -> list[str]:
    return [level for level in levels(group) if level != "none"]


def has_weights(group: str, level: str) -> bool:
    return "\nweights:" in (CONF / group / f"{level}.yaml").read_text(encoding="utf-8")


PRETRAINED = [level for level in encoders("text") if has_weights("text", level)]
FITTED = [level for level in encoders("text") if not has_weights("text", level)]


def test_the_levels_are_found() -> None:
    assert "resnet50" in encoders("vision")
    assert "bert" in PRETRAINED
    assert "tfidf" in FITTED
    assert {"concat", "late"} <= set(levels("fusion"))
    assert {"bce", "focal"} <= set(levels("loss"))


@pytest.mark.parametrize("level", encoders("vision"))
def test_a_vision_level_gives_features_of_its_width(level: str) -> None:
    config = compose([f"vision={level}", "vision.weights=random", *OPEN.get(level, [])]).config
    encoder = build(config.vision.part, "vision").eval()
    with torch.inference_mode():
        features = encoder(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert features.shape == (2, encoder.out_dim)
    assert features.isfinite().all()
    assert len(encoder.mean) == len(encoder.std) == 3


def text_encoder(level: str, source: str) -> Any:
    """The encoder of a level, one layer deep where its weights are random."""
    shallow = "++text.architecture.num_hidden_layers=1"
    lines = [f"text={level}", f"text.weights={source}", *OPEN.get(level, []), shallow]
    return build(compose(lines).config.text.part, "text", train_captions=CAPTIONS).eval()


@pytest.mark.parametrize("level", PRETRAINED)
def test_a_text_level_gives_features_of_its_width(level: str) -> None:
    encoder = text_encoder(level, "random")
    assert encoder.model.config.num_hidden_layers == 1
    with torch.inference_mode():
        features = encoder(encoder.tokenize(CAPTIONS[:2]))
    assert features.shape == (2, encoder.out_dim)
    assert features.isfinite().all()


@pytest.mark.parametrize("level", PRETRAINED)
def test_other_captions_of_a_batch_do_not_change_features(level: str, tmp_path: Path) -> None:
    source = text_encoder(level, "random")
    with torch.no_grad():  # as pretrained weights may have it
        source.model.get_input_embeddings().weight[source.tokenizer.pad_token_id] = 0.5
    source.model.save_pretrained(tmp_path / "model")
    source.tokenizer.save_pretrained(tmp_path / "model")
    encoder = text_encoder(level, str(tmp_path / "model"))
    encoder.pooling = "mean"
    with torch.inference_mode():
        together = encoder(encoder.tokenize(CAPTIONS))
        alone = torch.cat([encoder(encoder.tokenize([caption])) for caption in CAPTIONS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("level", FITTED)
def test_a_fitted_text_level_gives_features_of_its_width(level: str) -> None:
    encoder = build(compose([f"text={level}"]).config.text.part, "text").fit(CAPTIONS)
    features = encoder.transform(CAPTIONS[:2])
    assert features.shape == (2, encoder.out_dim)
    assert features.isfinite().all()


@pytest.mark.parametrize(
    ("group", "other"), [("vision", "text=tfidf"), ("text", "vision=resnet18")]
)
def test_a_modality_can_be_left_out(group: str, other: str) -> None:
    config = compose([f"{group}=none", other]).config
    assert getattr(config, group).part == {"_target_": None}


def head(width: int) -> nn.Module:
    return nn.Linear(width, LABELS.shape[1])


def learn(fusion: Any, loss: nn.Module) -> list[nn.Parameter]:
    """The parameters of a model after one step backwards from two modalities."""
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(len(LABELS), width, generator=generator) for width in (4, 3)]
    fused: Tensor = fusion(parts)
    last = nn.Identity() if fusion.out_dim is None else head(fusion.out_dim)
    logits = last(fused)
    assert logits.shape == LABELS.shape
    value = loss(logits, LABELS)
    assert value.shape == ()
    assert value.isfinite()
    value.backward()
    return [*fusion.parameters(), *last.parameters()]


@pytest.mark.parametrize("normalise", ["false", "true"])
@pytest.mark.parametrize("level", levels("fusion"))
def test_a_fusion_level_learns(level: str, normalise: str) -> None:
    config = compose([f"fusion={level}", f"fusion.normalise={normalise}"]).config
    fusion = build(config.fusion, "fusion", dims=[4, 3], make_head=head)
    actual = learn(fusion, build(config.loss, "loss"))
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in actual)


@pytest.mark.parametrize("level", levels("loss"))
def test_a_loss_level_teaches(level: str) -> None:
    config = compose([f"loss={level}"]).config
    loss = build(config.loss, "loss", train_labels=LABELS)
    actual = learn(build(config.fusion, "fusion", dims=[4, 3], make_head=head), loss)
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in actual)
