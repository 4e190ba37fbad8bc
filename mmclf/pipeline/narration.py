"""What a run tells of itself while it works: a line each stage, and what is odd about its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from mmclf.errors import relate, tell
from mmclf.pipeline.fit_result import FitResult
from mmclf.progress import doing, duration, rate
from mmclf.storage.store.entry import StageTiming
from mmclf.storage.store.stage_result import StageResult

SHOWN = 8  # digits of an id
INPUTS: Mapping[str, str] = {"vision": "images", "text": "captions"}
INDENT = 10  # characters, the longest name of a stage


@dataclass
class Narrator:
    """Tells of one run, or of all that a sweep runs one after the other.

    Of a sweep (`of_many`) the data alone, as long as they are the same once; what is odd about
    them is told once in either case.
    """

    of_many: bool = False
    _written: set[str] = field(default_factory=set)
    _data: str = ""
    _change: Callable[[str], None] | None = None

    @contextmanager
    def shown(self, what: str) -> Iterator[None]:
        """Show at the foot of a terminal what is being done within the block."""
        with doing(what) as self._change:
            yield
        self._change = None

    def now(self, what: str) -> None:
        """Something is being done from now on."""
        if self._change is not None:
            self._change(what)

    def read(self, words: str, seconds: float) -> None:
        """The data were read."""
        if self._is_new(words):
            self._data = words
            _line("reading", f"{words}  {duration(seconds)}")

    def split(self, words: str) -> None:
        """The data were split, anew for every seed."""
        if self._is_new(f"split {self._data}"):
            _line("splitting", words)

    def note(self, text: str) -> None:
        """Something that a user has to know."""
        if text not in self._written:
            self._written.add(text)
            tell(text)

    def stage(self, name: str, noun: str, timing: StageTiming, *, reused: bool) -> None:
        """A stage is done; the result of one that is `reused` was stored already."""
        if self.of_many:
            return
        if reused:
            by = f", made by run {timing.run[:SHOWN]}" if timing.run is not None else ""
            _line(name, f"{timing.count:,} {noun}  from the store{by}")
        else:
            speed = rate(timing.count / timing.seconds) if timing.seconds > 0 else ""
            facts = [f"{timing.count:,} {noun}", speed, duration(timing.seconds)]
            _line(name, "  ".join(filter(None, facts)))

    def encoded(self, modality: str, views: Sequence[StageResult[Any]]) -> None:
        """All views of a modality were encoded."""
        timings = [view.timing for view in views]
        seconds, count = sum(t.seconds for t in timings), sum(t.count for t in timings)
        whole = replace(timings[0], seconds=seconds, count=count)
        reused = all(view.reused for view in views)
        self.stage("encoding", INPUTS[modality], whole, reused=reused)

    def fitted(self, fit: StageResult[FitResult]) -> None:
        """The model was fitted."""
        own = next(timing for timing in fit.timings if timing.stage == "fit")
        epochs = replace(own, count=len(fit.value.val))
        self.stage("fitting", "epochs", epochs, reused=fit.reused)

    def _is_new(self, words: str) -> bool:
        is_new = not self.of_many or words not in self._written
        self._written.add(words)
        return is_new


def _line(stage: str, words: str) -> None:
    relate(f"{stage:<{INDENT}}  {words}")
