"""The benchmark's temporary folder, and what several figures need of a data set, made once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from data_sets import DataSet, demo_data, real_data
from measuring import tell
from processes import run_command
from sizes import Sizes

from mmclf.data.decoded_images import ARRAY, DecodedImages, decode_images
from mmclf.data.images import Pictures
from mmclf.storage import environment
from mmclf.storage.store.store import Store

SIZE = 224
ENCODERS = ("vision=efficientnet_lite0", "text=minilm", "device=cpu")


class Workspace:
    """What is made below `folder`: data, decoded pictures, the output of a finished run."""

    def __init__(self, folder: Path, sizes: Sizes, root: Path | None) -> None:
        self.folder, self.sizes, self._root = folder, sizes, root
        self._decoded = cache(self._decode)
        self.finished = cache(self._finish)

    def data_sets(self) -> list[DataSet]:
        """The demo, and the real data where there is some."""
        tell("making the data ready")
        sets = [demo_data(self.folder / "demo", self.sizes)]
        if self._root is not None:
            sets.append(real_data(self._root, self.folder / "real", self.sizes))
        return sets

    def fresh(self) -> Path:
        """A new empty folder."""
        return Path(mkdtemp(dir=self.folder))

    def pictures(self, data: DataSet) -> Pictures:
        """All pictures of the data, memory-mapped."""
        mapped: Pictures = np.load(self.array(data), mmap_mode="r", allow_pickle=False)
        return mapped

    def array(self, data: DataSet) -> Path:
        """Where they lie."""
        store, decoded = self._decoded(data.name, data.paths)
        return store / "pictures" / decoded.stage.key / ARRAY

    def images(self, data: DataSet) -> DecodedImages:
        """All pictures of the data, as a run has them."""
        return self._decoded(data.name, data.paths)[1]

    def run_of(self, data: DataSet) -> Path:
        """The output folder of a finished run on the data with lite0 and MiniLM."""
        return self.finished(data.name, data.overrides)

    def _decode(self, name: str, paths: Sequence[Path]) -> tuple[Path, DecodedImages]:
        tell(f"decoding {name}")
        store = self.fresh()
        return store, decode_into(store, paths)

    def _finish(self, name: str, overrides: Sequence[str]) -> Path:
        tell(f"a run on {name}, whose features are used")
        folder = self.fresh()
        run_command(*overrides, *ENCODERS, f"output_dir={folder}")
        return folder


def decode_into(folder: Path, paths: Sequence[Path]) -> DecodedImages:
    """The pictures of `paths`, decoded by every core into a store in `folder`."""
    store = Store(folder, environment.describe_cpu())
    return decode_images(paths, size=SIZE, crop=None, workers=None, store=store)
