"""A process of its own: decodes and encodes images, and prints its peak anonymous memory in MB."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import torch
from encoders import CPU, vision_encoder, vision_precision
from workspace import decode_into

from mmclf import compose
from mmclf.pipeline.stage_runner import deterministic
from mmclf.storage import environment
from mmclf.training.image_encoding import ImageEncoding

EVERY_S = 0.02
STATUS = Path("/proc/self/status")


class Peak:
    """The largest RssAnon of this process while the block runs, in MB."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peak:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            self.megabytes = max(self.megabytes, _anonymous())


def _anonymous() -> float:
    (line,) = (x for x in STATUS.read_text().splitlines() if x.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Encode the files that the first argument lists, by a store in the folder of the second."""
    environment.keep_freed_memory()  # as a run does
    paths = [Path(name) for name in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))]
    config = compose(["vision=efficientnet_lite0", "device=cpu"]).config
    with Peak() as peak, deterministic(config.seed, CPU):
        images = decode_into(Path(sys.argv[2]), paths)
        pictures = images.pictures
        encoder = vision_encoder("lite0").to(memory_format=torch.channels_last)
        rows = np.arange(len(pictures))
        own_test = np.zeros(len(pictures), dtype=bool)
        ImageEncoding(images, own_test, config.image.pixels, config.augment).encode(
            encoder,
            0,
            settings=config.encode,
            precision=vision_precision(encoder, pictures, rows).precision,
            device=CPU,
        )
    sys.stdout.write(f"{peak.megabytes}\n")


if __name__ == "__main__":
    main()
