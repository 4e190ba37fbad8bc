"""What a prediction without labels becomes, where the data decide it."""

from __future__ import annotations

from dataclasses import replace

from mmclf.config.schema import Composed, Config
from mmclf.config.targets import parameters, resolve
from mmclf.data.samples import Samples
from mmclf.evaluation.thresholds import AUTO, empty_of


def with_empty(config: Config, samples: Samples) -> Config:
    """The config with what `threshold.empty=auto` is for these samples, in keys and in the rule.

    A rule of the user's own that takes no `empty`, or none that is `auto`, keeps what it says.
    """
    node = config.threshold
    taken = parameters(resolve(node["_target_"], "threshold", config.allow_targets)).get("empty")
    if taken is None or node.get("empty", taken.default) != AUTO:
        return config
    empty = empty_of(AUTO, has_unlabelled=samples.has_unlabelled)
    return replace(config, threshold={**node, "empty": empty})


def with_empty_composed(composed: Composed, samples: Samples) -> Composed:
    """The same of a composed configuration and of its plain form, which is tracked."""
    config = with_empty(composed.config, samples)
    if config is composed.config:
        return composed
    node = {**composed.tree["threshold"], "empty": config.threshold["empty"]}
    return replace(composed, config=config, tree={**composed.tree, "threshold": node})
