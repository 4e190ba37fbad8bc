"""How much of everything is measured, in full and to try the benchmark itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """`pairs` of repetitions within a process, `rounds` of what takes minutes: commands, training.

    `images`, `captions` and `trained` samples are evenly spaced ones of the data; `real_rows` None
    for all. `memory`: the few and the many images whose memory is compared.
    """

    pairs: int = 5
    rounds: int = 3
    images: int = 1000
    captions: int = 2000
    trained: int = 256
    training_batch: int = 64
    demo_train: int = 1200
    demo_test: int = 400
    real_rows: int | None = None
    memory: tuple[int, int] = (1000, 10_000)


@dataclass(frozen=True)
class GpuSizes:
    """The same of the figures on a GPU; pictures are `picture` pixels high and wide.

    `samples` train on features, `trained` end to end in each of `epochs` epochs, `encoded` are
    encoded beside the baselines in each of `rounds`; `learnt` samples make the task that can be
    learnt. A sweep of heads ends after `heads_s` seconds. `smaller_vision` and `smaller_text` are
    overrides that make other encoders.
    """

    picture: int = 224
    batch: int = 256
    samples: int = 25_000
    trained: int = 25_000
    epochs: int = 4
    encoded: int = 8_192
    rounds: int = 3
    head_epochs: int = 10
    heads_s: float = 12.0
    learnt: int = 1_536
    learnt_epochs: int = 6
    smaller_vision: tuple[str, ...] = ()
    smaller_text: tuple[str, ...] = ()


FULL = Sizes()
QUICK = Sizes(
    pairs=2,
    rounds=1,
    images=64,
    captions=96,
    trained=48,
    training_batch=16,
    demo_train=160,
    demo_test=40,
    real_rows=200,
    memory=(32, 64),
)
GPU_FULL = GpuSizes()
GPU_QUICK = GpuSizes(
    picture=32,
    batch=8,
    samples=48,
    trained=8,
    epochs=2,
    encoded=16,
    rounds=1,
    head_epochs=2,
    heads_s=0.0,
    learnt=32,
    learnt_epochs=1,
    smaller_vision=("vision.name=test_efficientnet.r160_in1k",),
    smaller_text=(
        "+text.architecture.hidden_size=32",
        "+text.architecture.num_attention_heads=2",
        "+text.architecture.num_hidden_layers=1",
    ),
)
