from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from mmclf.errors import InputError
from mmclf.models import hub
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.tfidf import Tfidf
from mmclf.models.weights import module_sha256
from mmclf.models.wordpiece import SPECIAL, train_wordpiece

LEVELS = sorted((Path(__file__).parents[2] / "conf" / "text").glob("*.yaml"))
CAPTIONS = ["a man on a horse", "two dogs", "a red bus beside a very long train at night"]
TINY = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "hub_is_reachable", lambda: False)


def tiny(**settings: Any) -> HuggingFaceEncoder:
    given = {"weights": "random", "architecture": TINY, "train_captions": CAPTIONS} | settings
    return HuggingFaceEncoder("nobody/tiny", **given).eval()


def settings_of(level: str) -> dict[str, Any]:
    (path,) = (path for path in LEVELS if path.stem == level)
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def features(encoder: HuggingFaceEncoder, captions: list[str]) -> Tensor:
    with torch.inference_mode():
        features: Tensor = encoder.eval()(encoder.tokenize(captions))
    return features


class Scripted(torch.nn.Module):
    """A model whose token features are the token ids."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        hidden = input_ids.float().unsqueeze(-1)
        return type("Output", (), {"last_hidden_state": hidden})


@pytest.mark.parametrize(
    ("pooling", "expected"), [("cls", [[4.0], [5.0]]), ("mean", [[5.0], [5.0]])]
)
def test_pooling(pooling: str, expected: list[list[float]]) -> None:
    encoder = tiny(pooling=pooling)
    encoder.model = Scripted()
    tokens: Mapping[str, Tensor] = {
        "input_ids": torch.tensor([[4, 6, 5], [5, 0, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1], [1, 0, 0]]),
    }
    assert encoder(tokens).tolist() == expected


@pytest.mark.parametrize(("level", "width"), [("bert", 768), ("minilm", 384), ("huggingface", 8)])
def test_every_level_gives_features_of_its_width(level: str, width: int) -> None:
    settings = settings_of(level)
    del settings["_target_"]
    architecture = dict(settings["architecture"] or TINY) | {"num_hidden_layers": 1}
    settings |= {"weights": "random", "package": None, "architecture": architecture}
    if settings["name"] == "???":
        settings["name"] = "nobody/tiny"
    encoder = HuggingFaceEncoder(**settings, train_captions=CAPTIONS)
    computed = features(encoder, CAPTIONS[:2])
    assert encoder.out_dim == width
    assert computed.shape == (2, width)
    assert computed.isfinite().all()


def test_tfidf_takes_the_settings_of_its_level() -> None:
    settings = settings_of("tfidf")
    del settings["_target_"]
    assert Tfidf(**settings).fit([*CAPTIONS, *CAPTIONS]).transform(CAPTIONS[:2]).shape[0] == 2


def test_random_weights_are_the_same_twice() -> None:
    one = tiny()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert module_sha256(tiny()) == module_sha256(one)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_padding_does_not_change_features(pooling: str) -> None:
    encoder = tiny(pooling=pooling)
    alone = torch.cat([features(encoder, [caption]) for caption in CAPTIONS])
    torch.testing.assert_close(features(encoder, CAPTIONS), alone, atol=1e-5, rtol=1e-5)


def test_tokens_are_padded_to_the_longest_and_cut_at_the_limit() -> None:
    tokens = tiny(max_length=6).tokenize(["a man", "a man on a horse"])
    assert set(tokens) == {"input_ids", "attention_mask"}
    # [CLS] a man [SEP], and [CLS], four of five words, [SEP].
    assert tokens["attention_mask"].tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6]
    assert tiny().tokenize(["a man"])["input_ids"].shape == (1, 4)


def test_a_model_folder_is_read_back(tmp_path: Path) -> None:
    source = tiny()
    with torch.no_grad():
        next(source.model.parameters())[:] += 0.5
    folder = tmp_path / "model"
    source.model.save_pretrained(folder)
    source.tokenizer.save_pretrained(folder)
    loaded = HuggingFaceEncoder("nobody/tiny", str(folder))
    assert torch.equal(features(loaded, CAPTIONS), features(source, CAPTIONS))


def test_a_folder_without_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^text\.weights: .*: expected config"):
        HuggingFaceEncoder("nobody/tiny", str(tmp_path))


@pytest.mark.parametrize("config", ["{", '{"model_type": "unheard_of"}', '{"model_type": "bert"}'])
def test_a_folder_that_is_no_model(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(InputError, match=r"^text\.weights: .* no model"):
        HuggingFaceEncoder("nobody/tiny", str(tmp_path))


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "unheard_of"},
        {"hidden_size": 8},
        TINY | {"hidden_size": "wide"},
        TINY | {"num_attention_heads": 3},
    ],
)
def test_an_architecture_that_is_none(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"text\.architecture: "):
        tiny(architecture=settings)


def test_weights_of_the_hub_out_of_reach() -> None:
    with pytest.raises(InputError, match="weights=hub, but nobody/tiny "):
        HuggingFaceEncoder("nobody/tiny")
    with pytest.raises(InputError, match="nobody/tiny is not in"):
        tiny(architecture=None)


def test_weights_of_the_package() -> None:
    settings = settings_of("minilm")
    del settings["_target_"]
    try:
        metadata.distribution(settings["package"]["distribution"])
    except metadata.PackageNotFoundError:
        pytest.skip("the package of the weights is not installed")
    encoder, again = HuggingFaceEncoder(**settings), HuggingFaceEncoder(**settings)
    assert module_sha256(encoder) == module_sha256(again)
    computed = features(encoder, ["a cat", "a kitten", "the stock market fell"])
    assert torch.equal(computed, features(again, ["a cat", "a kitten", "the stock market fell"]))
    likeness = torch.nn.functional.cosine_similarity(computed[:1], computed[1:])
    assert likeness[0] > 0.6
    assert likeness[1] < 0.3


def test_a_vocabulary_is_the_same_twice() -> None:
    one = train_wordpiece(CAPTIONS)
    assert all(train_wordpiece(CAPTIONS).get_vocab() == one.get_vocab() for _ in range(5))
    assert one.get_vocab() != train_wordpiece(CAPTIONS[:1]).get_vocab()
    assert [one.get_vocab()[token] for token in SPECIAL] == [0, 1, 2, 3, 4]
    assert set(one.all_special_tokens) == set(SPECIAL)


def test_words_of_the_vocabulary_are_found() -> None:
    tokenizer = train_wordpiece(CAPTIONS)

    def words(caption: str) -> list[str]:
        tokens: list[str] = tokenizer.convert_ids_to_tokens(tokenizer(caption)["input_ids"])
        return tokens

    assert words("A MAN, dogs") == ["[CLS]", "a", "man", "[UNK]", "dogs", "[SEP]"]
    # Words it lacks are made of their parts; a part is no word of its own.
    assert "".join(words("nora")[1:-1]).replace("##", "") == "nora"
    assert words("nora")[1] == "n"
    assert words("##n")[-2:] == ["n", "[SEP]"]


def test_a_vocabulary_has_a_limit_and_needs_captions() -> None:
    assert len(train_wordpiece(CAPTIONS, vocab_size=30)) <= 45
    with pytest.raises(InputError, match="needs training captions"):
        train_wordpiece([])


@pytest.mark.parametrize("limit", [4, 64])
@pytest.mark.parametrize("side", ["left", "right"])
def test_tokens_are_padded_as_the_tokenizer_would(limit: int, side: str) -> None:
    encoder = tiny(max_length=limit)
    encoder.tokenizer.padding_side = side
    texts = [*CAPTIONS, "", "a " * 20]
    expected = encoder.tokenizer(
        texts, padding=True, truncation=True, max_length=limit, return_tensors="pt"
    )
    tokens = encoder.tokenize(texts)
    assert sorted(tokens) == ["attention_mask", "input_ids"]
    for name, value in tokens.items():
        assert value.dtype == torch.int64
        assert torch.equal(value, expected[name])
    lengths = [len(ids) for ids in encoder.token_ids(texts)]
    assert lengths == expected["attention_mask"].sum(dim=1).tolist()
    assert max(lengths) == min(limit, 22)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("side", ["left", "right"])
def test_on_a_gpu_tokens_are_padded_to_a_multiple_of_eight(side: str) -> None:
    encoder = tiny()
    encoder.tokenizer.padding_side = side
    plain = encoder.tokenize(["a man", "two dogs " * 4])
    padded = encoder.to("cuda").tokenize(["a man", "two dogs " * 4])
    (count, width), wide = plain["input_ids"].shape, padded["input_ids"].shape[1]
    assert wide == -(-width // 8) * 8 > width
    kept = slice(wide - width, None) if side == "left" else slice(width)
    for name, value in padded.items():
        assert value.shape == (count, wide)
        assert torch.equal(value[:, kept], plain[name])
    assert padded["attention_mask"].sum() == plain["attention_mask"].sum()
