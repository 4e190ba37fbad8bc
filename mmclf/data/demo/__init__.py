"""The generated demo as a data source, read by the competition's own reader."""

from __future__ import annotations

from pathlib import Path

from mmclf.data.demo.generate import make
from mmclf.data.samples import Samples
from mmclf.data.sources import competition

NAMES = (
    "person bicycle car motorcycle airplane bus train truck boat traffic-light fire-hydrant - "
    "stop-sign parking-meter bench bird cat dog horse"
)


def load(root: str, seed: int = 0, train: int = 1200, test: int = 400) -> Samples:
    """`train` + `test` generated samples below `root`, made there first unless they are.

    `seed` decides what they show; the test set is the source's own. Raises ValueError if an
    argument is out of range or `root` holds something else.
    """
    make(Path(root), seed=seed, train=train, test=test)
    names = {str(i): name.replace("-", " ") for i, name in enumerate(NAMES.split(), start=1)}
    return competition.load(root, label_names=names)
