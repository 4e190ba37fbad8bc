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
    gpu_samples: int = 30_000
    gpu_epochs: int = 10
    gpu_batch: int = 256


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
    gpu_samples=64,
    gpu_epochs=1,
    gpu_batch=16,
)
