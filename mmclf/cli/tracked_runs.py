"""Where runs are tracked, for the commands that read them, and the words of their command lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmclf.config.compose import compose
from mmclf.config.schema import Config
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage.tracking import Tracker


def open_tracker(
    overrides: Sequence[str], config_dir: Path | None = None
) -> tuple[Tracker, Config]:
    """The tracker that these overrides name; raises InputError if it holds no database yet.

    `config_dir`: a folder of the user's own config groups.
    """
    config = compose(overrides, config_dir).config
    return tracker_of(config), config


def sorted_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides, and the other words."""
    return [word for word in words if "=" in word], [word for word in words if "=" not in word]
