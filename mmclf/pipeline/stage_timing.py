"""What a run costs: seconds and speeds, from what its stages cost where they were computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mmclf.storage.store.entry import Cost

# The stages behind each tracked time; the split's share is in `time/cold_s` alone.
TIMES: Mapping[str, tuple[str, ...]] = {
    "encode": ("pictures", "vision", "text"),
    "fit": ("fit",),
    "decide": ("tested", "decide"),
}
SPEEDS: Mapping[str, str] = {
    "images_per_s": "vision",
    "captions_per_s": "text",
    "fit_samples_per_s": "fit",
}


def times(costs: Sequence[Cost]) -> dict[str, float]:
    """`time/{encode,fit,decide}_s`, and `time/cold_s`: what the run costs with an empty store."""
    by_time = {
        f"time/{name}_s": sum(cost.seconds for cost in costs if cost.stage in stages)
        for name, stages in TIMES.items()
    }
    return by_time | {"time/cold_s": sum(cost.seconds for cost in costs)}


def speeds(costs: Sequence[Cost]) -> dict[str, float]:
    """`speed/*_per_s` of the stages that there were."""
    found = {}
    for name, stage in SPEEDS.items():
        own = [cost for cost in costs if cost.stage == stage]
        seconds = sum(cost.seconds for cost in own)
        if seconds > 0:
            found[f"speed/{name}"] = sum(cost.count for cost in own) / seconds
    return found


def cost_tags(costs: Sequence[Cost], run: str) -> dict[str, str]:
    """`mmclf.stage.*`: which run made the result of each stage, and at what cost.

    `mmclf.cold_hardware`: all hardware that `time/cold_s` is of.
    """
    total, seen = Counter(cost.stage for cost in costs), Counter[str]()
    tags = {"mmclf.cold_hardware": "; ".join(sorted({cost.hardware for cost in costs}))}
    for cost in costs:
        name = cost.stage if total[cost.stage] == 1 else f"{cost.stage}.{seen[cost.stage]}"
        seen[cost.stage] += 1
        maker = "this run" if cost.run == run else f"run {cost.run}" if cost.run else "no run"
        tags[f"mmclf.stage.{name}"] = (
            f"{cost.key[:12]} by {maker} in {cost.seconds:.3f} s on {cost.hardware}"
        )
    return tags
