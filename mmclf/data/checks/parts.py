"""Checks of the split: groups in one part, sizes asked and got, labels that a part lacks."""

from __future__ import annotations

import numpy as np

from mmclf.config.schema import Split
from mmclf.data.checks.check import NONE, Check, CheckStatus, counted
from mmclf.data.problems import shown
from mmclf.data.samples import Samples
from mmclf.data.shared_groups import ADVICE, in_words, shared_groups
from mmclf.data.split import SIZE_TOLERANCE, Parts, asked_sizes

SIZES = "sizes of the parts"
# What a label without a positive in the part does to a score.
CONSEQUENCES = {"val": "no threshold can be fitted to them", "test": "they count 0 in macro F1"}


def check_groups(samples: Samples, split: Split) -> list[Check]:
    """Count the groups of samples, and those that the source's own parts divide."""
    sizes = np.bincount(samples.group_numbers)
    least, most = sizes.min(), sizes.max()
    detail = f"{len(sizes)} of {least if least == most else f'{least} to {most}'} samples"
    checks = [Check("ok", "groups", "each sample is its own" if most == 1 else detail)]
    divided = shared_groups(samples)
    if not divided:
        return [*checks, Check("ok", "groups in several parts", NONE)]
    refused = split.on_shared_group == "error"
    advice = ADVICE if refused else "admitted by split.on_shared_group=warn"
    words = f"{in_words(samples, divided)}: {advice}"
    return [*checks, Check("bad", "groups in several parts", words)]


def check_sizes(samples: Samples, parts: Parts, split: Split) -> Check:
    """Tell the size of each part beside the one asked for; a note if one is off."""
    own = {"val": bool(samples.own_val.any()), "test": bool(samples.own_test.any())}
    asked = asked_sizes(samples.own_val, samples.own_test, val=split.val, test=split.test)
    words = []
    for name, rows in parts.items():
        origin = "the source's own" if own.get(name) else f"{asked[name]} asked for"
        words.append(f"{name} {len(rows)} ({origin})")
    free = (~samples.own_val & ~samples.own_test).sum()
    off = max(abs(len(rows) - asked[name]) for name, rows in parts.items())
    status: CheckStatus = "ok" if off <= max(1, SIZE_TOLERANCE * free) else "note"
    return Check(status, SIZES, ", ".join(words))


def check_label_parts(samples: Samples, parts: Parts) -> list[Check]:
    """Count the labels without a positive in val and in test."""
    checks = []
    for part, consequence in CONSEQUENCES.items():
        absent = np.flatnonzero(~samples.labels[parts[part]].any(axis=0))
        names = [shown(samples.label_names[label]) for label in absent]
        what = (f"labels not in {part}", len(absent), len(samples.label_names), "labels", names)
        checks.append(counted(*what, advice=f"; {consequence}"))
    return checks
