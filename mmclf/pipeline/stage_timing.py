"""The cost of a run: times and speeds, from the costs of its stages when they were computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mmclf.pipeline.modalities import MODALITIES
from mmclf.pipeline.stages import STAGES
from mmclf.storage.store.entry import StageTiming

# The tracked time that each stage is part of; the split's share is in `time/cold_s` alone.
TIMES: Mapping[str, str] = {
    "pictures": "encode",
    **{name: kind.time for name, kind in STAGES.items()},
}
SPEEDS: Mapping[str, str] = {
    **{f"{modality.inputs}_per_s": name for name, modality in MODALITIES.items()},
    "fit_samples_per_s": "fit",
}


def times(timings: Sequence[StageTiming]) -> dict[str, float]:
    """`time/{encode,fit,decide}_s`, and `time/cold_s`: the cost of the run with an empty store."""
    by_time = {
        f"time/{name}_s": sum(t.seconds for t in timings if TIMES.get(t.stage) == name)
        for name in dict.fromkeys(TIMES.values())
    }
    return by_time | {"time/cold_s": sum(timing.seconds for timing in timings)}


def speeds(timings: Sequence[StageTiming]) -> dict[str, float]:
    """`speed/*_per_s` of the run's stages."""
    result = {}
    for name, stage in SPEEDS.items():
        stage_timings = [timing for timing in timings if timing.stage == stage]
        seconds = sum(timing.seconds for timing in stage_timings)
        if seconds > 0:
            result[f"speed/{name}"] = sum(timing.count for timing in stage_timings) / seconds
    return result


def timing_tags(timings: Sequence[StageTiming], run: str) -> dict[str, str]:
    """The tags about stages.

    `mmclf.stage.*` names the run that computed each stage, and its cost; `mmclf.cold_hardware` all
    hardware that contributes to `time/cold_s`.
    """
    total, numbered = Counter(timing.stage for timing in timings), Counter[str]()
    tags = {"mmclf.cold_hardware": "; ".join(sorted({timing.hardware for timing in timings}))}
    for timing in timings:
        name = (
            timing.stage if total[timing.stage] == 1 else f"{timing.stage}.{numbered[timing.stage]}"
        )
        numbered[timing.stage] += 1
        author = (
            "this run" if timing.run == run else f"run {timing.run}" if timing.run else "no run"
        )
        tags[f"mmclf.stage.{name}"] = (
            f"{timing.key[:12]} by {author} in {timing.seconds:.3f} s on {timing.hardware}"
        )
    return tags
