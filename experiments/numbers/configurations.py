"""The configurations whose numbers are compared: each a command line of mmclf, small on purpose."""

from __future__ import annotations

from dataclasses import dataclass

BOTH = ("vision=efficientnet_lite0", "text=minilm")
SMALL = (*BOTH, "image.size=96", "trainer.epochs=3")
WORDS = ("vision=none", "text=tfidf", "trainer.epochs=6", "trainer.batch_size=32")
TINY_TEXT = (
    *("text=minilm", "text.weights=random", "text.trainable=true", "text.lr=1e-3"),
    *("text.architecture.hidden_size=32", "text.architecture.num_hidden_layers=2"),
    *("text.architecture.num_attention_heads=2", "text.architecture.intermediate_size=64"),
)
TINY_VISION = (
    *("vision=resnet18", "vision.weights=random", "vision.trainable=true", "image.size=64"),
    "text=none",
)
# Numbers of all devices and precisions would be no harder to compare, but slower to get.
EVERYWHERE = ("device=cpu", "encode.precision=fp32")


@dataclass(frozen=True)
class Configuration:
    """A command: one run, a sweep (`-m`), or a study, of this folder's or a shipped one.

    `predicts`: a single run whose predictions by `mmclf predict` are compared as well.
    """

    name: str
    overrides: tuple[str, ...]
    predicts: bool = False

    @property
    def is_study(self) -> bool:
        """Whether its runs are those of a study."""
        return any(override.startswith("study=") for override in self.overrides)


CONFIGURATIONS = (
    Configuration("tfidf", WORDS),
    Configuration("image and text", (*BOTH, "trainer.epochs=5"), predicts=True),
    Configuration("losses", (*SMALL, "study=losses")),
    Configuration("fusions", (*SMALL, "study=fusions")),
    Configuration(
        "thresholds", ("-m", *SMALL, "threshold=fixed_0.45,global_f1,per_label_f1", "seed=1")
    ),
    Configuration(
        "refit",
        (
            *(*SMALL, "trainer.refit=true", "scheduler=cosine", "head.dropout=0.3"),
            *("head.input_dropout=0.2", "threshold=global_f1"),
        ),
    ),
    Configuration("views", (*SMALL, "augment=crop_flip", "augment.views=2")),
    Configuration("trained text", (*TINY_TEXT, "vision=none", "trainer.epochs=1")),
    Configuration(
        "trained vision",
        (*TINY_VISION, "augment=crop_flip", "augment.views=2", "trainer.epochs=1"),
    ),
    Configuration(
        "trained text, frozen vision",
        (*SMALL, *TINY_TEXT, "trainer.epochs=1", "trainer.refit=true"),
        predicts=True,
    ),
    Configuration("at test", (*SMALL, "at_test.vision=dropped", "at_test.text=shuffled")),
    Configuration("captions shuffled", (*WORDS, "data.caption_order=shuffled", "text.ngram_max=2")),
    Configuration(
        "constant", ("vision=none", "text=constant", "head.hidden=null", "optimizer.lr=0.05")
    ),
    Configuration(
        "sgd, one_cycle",
        (
            *(*WORDS, "optimizer=sgd", "scheduler=one_cycle", "trainer.accumulate=2"),
            "trainer.clip_norm=1.0",
        ),
    ),
    Configuration(
        "random split", (*SMALL, "split=random", "image=center_crop", "optimizer=adamw", "seed=2")
    ),
    Configuration(
        "patience",
        (
            *("vision=none", "text=tfidf", "optimizer.lr=0.01", "trainer.monitor=val/map"),
            *("trainer.patience=2", "trainer.epochs=30"),
        ),
    ),
    Configuration("bf16", (*WORDS, "trainer.precision=bf16")),
    Configuration("threshold study", (*SMALL, "study=threshold", "study.seeds=2")),
    Configuration("ladder", (*SMALL, "study=ladder")),
    Configuration("attribution", (*SMALL, "study=attribution_of_two")),
)
