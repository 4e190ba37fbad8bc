"""Share: the part of a batch, or of some batches, that one of several processes computes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """What the process `rank` of `size` processes computes; by default all of it, alone."""

    rank: int = 0
    size: int = 1

    def of(self, count: int) -> slice:
        """Its part of `count` things: as many in a row as each other has, or one more.

        >>> [Share(rank, 3).of(5) for rank in range(3)]
        [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
        """
        each, more = divmod(count, self.size)
        start = self.rank * each + min(self.rank, more)
        return slice(start, start + each + (self.rank < more))

    def all_of(self, count: int) -> list[slice]:
        """The part of each process."""
        return [Share(rank, self.size).of(count) for rank in range(self.size)]

    def counts(self, count: int) -> list[int]:
        """How many of `count` things each process has."""
        return [part.stop - part.start for part in self.all_of(count)]

    def rows(self, count: int) -> slice:
        """Its rows of a batch of `count`; the first where there are fewer rows than processes.

        A process without a row of its own still has to take part in a step.
        """
        own = self.of(count)
        return own if own.stop > own.start else slice(0, 1)


ALONE = Share()
