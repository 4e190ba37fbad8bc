"""Where the runs of a configuration are tracked."""

from __future__ import annotations

from pathlib import Path

from mmclf.config.schema import Config
from mmclf.storage.tracking import Tracker


def tracker_of(config: Config, *, create: bool = False) -> Tracker:
    """The tracker of a configuration's runs; with `create` what is missing is made.

    Raises InputError as `Tracker` does, if there is no database yet unless `create`.
    """
    tracking = config.tracking
    return Tracker(
        tracking.uri,
        tracking.experiment,
        Path(config.output_dir),
        create=create,
        patience_s=tracking.patience_s,
    )
