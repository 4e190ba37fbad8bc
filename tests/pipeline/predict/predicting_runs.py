"""Small runs of many kinds that predict, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmclf
from mmclf.config.schema import Composed
from mmclf.data.sources.competition_csv import CompetitionRow
from mmclf.pipeline.predict.predictor import Predictor

TINY = "{model_type: bert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2}"
VISION = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random", "image.size=64")
TEXT = (
    "text=huggingface",
    "text.name=nobody/tiny",
    "text.weights=random",
    f"text.architecture={TINY}",
)
SMALL = ("data.train=100", "data.test=30", "trainer.epochs=2", "encode.precision=fp32")
RUNS: Mapping[str, Sequence[str]] = {
    "tfidf": (),
    "frozen": (*VISION, *TEXT, "threshold=global_f1", "image=center_crop"),
    "constant": ("text=constant", "optimizer.lr=0.1"),
    "trained text": (*TEXT, "text.trainable=true"),
    "trained vision": (*VISION, "text=none", "vision.trainable=true"),
    "late": (*VISION, "fusion=late", "threshold=per_label_f1"),
    "trained in bf16": (*VISION, *TEXT, "vision.trainable=true", "trainer.precision=bf16"),
}
BOTH = "frozen"


@dataclass(frozen=True, repr=False)
class Data:
    """The demo's samples, by their ids."""

    folder: Path
    rows: Mapping[str, CompetitionRow]

    def images(self, ids: Sequence[str]) -> list[Path]:
        return [self.folder / "data" / one for one in ids]

    def captions(self, ids: Sequence[str]) -> list[str]:
        return [self.rows[one].caption for one in ids]


class Runs:
    """The runs of `RUNS`, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids: dict[str, str] = {}

    def id(self, name: str) -> str:
        if name not in self.ids:
            overrides = [*SMALL, *RUNS[name], f"output_dir={self.folder}"]
            composed: Composed = mmclf.compose(overrides)
            self.ids[name] = mmclf.run(composed).run_id
        return self.ids[name]

    def artifacts(self, name: str) -> Path:
        return self.folder / "artifacts" / self.id(name) / "artifacts"

    def load(self, name: str, **settings: Any) -> Predictor:
        return mmclf.load(self.id(name), output_dir=self.folder, device="cpu", **settings)
