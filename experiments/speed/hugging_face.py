"""The baseline of training: the Trainer of Hugging Face at its defaults, on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from encoders import minilm, vision_encoder
from measuring import Side
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import PrinterCallback, Trainer, TrainingArguments

from mmclf.data.images import Pictures
from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head

HIDDEN = 512


@dataclass(frozen=True)
class Given:
    """What to train on: `rows` of the decoded pictures in `array`, with captions and labels."""

    array: Path
    rows: NDArray[np.int64]
    captions: Sequence[str]
    labels: NDArray[np.uint8]
    precision: str
    batch_size: int
    folder: Path


class Items(Dataset[dict[str, Any]]):
    """Samples made ready one by one."""

    def __init__(self, given: Given, vision: Any, text: Any) -> None:
        self._given, self._tokenizer, self._longest = given, text.tokenizer, text.max_length
        self._pictures: Pictures = np.load(given.array, mmap_mode="r", allow_pickle=False)
        self._mean = torch.tensor(vision.mean).view(3, 1, 1)
        self._std = torch.tensor(vision.std).view(3, 1, 1)

    def __len__(self) -> int:
        """How many."""
        return len(self._given.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Standardised picture (3, H, W), token ids, and labels (L,)."""
        picture = torch.tensor(self._pictures[self._given.rows[index]]).permute(2, 0, 1)
        caption = self._given.captions[index]
        tokens = self._tokenizer(caption, truncation=True, max_length=self._longest)
        return {
            "pictures": (picture / 255 - self._mean) / self._std,
            "input_ids": tokens["input_ids"],
            "labels": torch.tensor(self._given.labels[index], dtype=torch.float32),
        }

    def together(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """A batch, its captions padded to the longest of them."""
        ids = [{"input_ids": item["input_ids"]} for item in items]
        tokens = self._tokenizer.pad(ids, return_tensors="pt")
        stacked = {name: torch.stack([i[name] for i in items]) for name in ("pictures", "labels")}
        return stacked | {name: tokens[name] for name in ("input_ids", "attention_mask")}


class Model(nn.Module):
    """The classifier as the Trainer wants it: it tells its loss."""

    def __init__(self, vision: Any, text: Any, labels: int) -> None:
        super().__init__()
        fusion = Concat([vision.out_dim, text.out_dim])
        head = make_head(fusion.out_dim, labels, HIDDEN, dropout=0.0)
        self.classifier = Classifier({"vision": vision, "text": text}, fusion, head)
        self.loss = nn.BCEWithLogitsLoss()

    def forward(
        self, pictures: Tensor, input_ids: Tensor, attention_mask: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Loss and logits (B, L)."""
        tokens = {"input_ids": input_ids, "attention_mask": attention_mask}
        logits = self.classifier({"vision": pictures, "text": tokens})
        return {"loss": self.loss(logits, labels), "logits": logits}


def trainer_side(given: Given) -> Side:
    """What trains one further epoch by the Trainer, as long as it says that its loop took."""
    vision, text = vision_encoder("lite0"), minilm()
    items = Items(given, vision, text)
    model = Model(vision, text, given.labels.shape[1]).requires_grad_(True)
    arguments = TrainingArguments(
        output_dir=str(given.folder),
        num_train_epochs=1,
        per_device_train_batch_size=given.batch_size,
        bf16=given.precision == "bf16",
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )

    def epoch() -> float:
        trainer = Trainer(model, arguments, data_collator=items.together, train_dataset=items)
        trainer.remove_callback(PrinterCallback)
        return float(trainer.train().metrics["train_runtime"])

    return epoch
