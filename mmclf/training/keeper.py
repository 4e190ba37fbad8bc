"""Keeps checkpoints of a fit in the store, every so many epochs and when a signal asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from mmclf.errors import tell
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.checkpoints import Checkpoints
from mmclf.training.checkpoint import Checkpoint
from mmclf.training.interruption import Interruption, held_signals


class FitKeeper:
    """Keeps checkpoints of a fit.

    Attributes:
        resumed: where an earlier attempt was, or None.
        run: which tracked run that attempt was of, or None.

    Args:
        checkpoints: of the fit.
        every: so many epochs; None for none of its own, though it goes on where one is found.
        interruption: signals that wait for a checkpoint.
        attempt_s: gives the seconds of this attempt, with those of the keeping.

    """

    def __init__(
        self,
        checkpoints: Checkpoints[Checkpoint],
        every: int | None,
        interruption: Interruption,
        attempt_s: Callable[[], float],
    ) -> None:
        self._checkpoints, self._every = checkpoints, every
        self._interruption, self._attempt_s = interruption, attempt_s
        self._keeping = Stopwatch()
        self._is_told = False
        stored = checkpoints.read()
        self.resumed = stored[0] if stored is not None else None
        self.run = stored[1].run if stored is not None else None
        self._earlier_s = stored[1].seconds if stored is not None else 0.0
        if self.resumed is not None:
            tell(f"the fit goes on {_position_words(self.resumed)}, where an earlier attempt was")

    @property
    def seconds(self) -> float:
        """What the fit has taken in all attempts, up to their checkpoints, without the keeping."""
        return self._earlier_s + self._attempt_s() - self._keeping.seconds.get("keep", 0.0)

    @property
    def is_wanted(self) -> bool:
        """Whether a signal waits."""
        return self._interruption.is_there

    def is_due(self, epoch: int) -> bool:
        """Whether the interval is over."""
        return self._every is not None and epoch % self._every == 0

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write it, and pass on the signals that waited for it."""
        seconds = self.seconds
        with self._keeping.stage("keep"):
            try:
                self._checkpoints.write(checkpoint, seconds)
            except (OSError, TypeError) as error:
                self._tell_once(error)
        self.give_way()

    def refuse(self, error: Exception) -> None:
        """Begin anew."""
        self.resumed, self._earlier_s = None, 0.0
        tell(f"the checkpoint does not fit ({' '.join(str(error).split())}): the fit begins anew")

    def give_way(self) -> None:
        """Pass on the signals that wait."""
        self._interruption.pass_on()

    def _tell_once(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            reason = getattr(error, "strerror", None) or error
            tell(
                f"no checkpoint of the fit can be kept ({reason}): it goes on, and would begin "
                "anew after a kill; trainer.checkpoint_every=null asks for none"
            )


@contextmanager
def fit_keeper(
    checkpoints: Checkpoints[Checkpoint], every: int | None, attempt_s: Callable[[], float]
) -> Iterator[FitKeeper]:
    """A keeper for the fit in the block, in which signals wait for a checkpoint if any is kept."""
    with held_signals() if every is not None else nullcontext(Interruption({})) as interruption:
        yield FitKeeper(checkpoints, every, interruption, attempt_s)


def _position_words(checkpoint: Checkpoint) -> str:
    """As `after epoch 3 and 20 steps`."""
    epochs = len(checkpoint.epochs) if checkpoint.refitted is None else checkpoint.refitted
    steps = checkpoint.learner.position.steps
    what = "epoch" if checkpoint.refitted is None else "epoch of the refit"
    return f"after {what} {epochs}" + (f" and {steps} steps" if steps > 0 else "")
