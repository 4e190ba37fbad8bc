"""Who makes a result: the system's lock, and beside it a file that says whose it is.

The system frees a lock when its holder ends, where the file system shares locks. One of a network
may not share them, or go on holding that of a machine that is gone. Hence the owner's file, which
changes as long as its writer lives: who finds it changing waits, who finds it still goes on without
the lock. At worst a result is then computed twice; results are whole or not there in any case.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mmclf.storage.process_identity import is_gone, is_of_this_machine, this_process
from mmclf.storage.store.inner_files import remove_tree, unfinished_of

QUIET_WAIT_S = 2.0  # of waiting for another process before saying so
POLL_S = 0.5
BEAT_S = 10.0  # between two changes of an owner's file
STALE_S = 60.0  # without one, after which a process elsewhere counts as dead
OWNER_BYTES = 4096
# What a file system without locks says.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


@contextmanager
def held(entry: Path, tell_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of an entry within the block, as far as locks hold on its file system.

    Raises OSError if the lock's file cannot be made.

    Args:
        entry: the folder of the entry, whose parent is there.
        tell_wait: called once, if another process is waited for.

    """
    lock, owner = FileLock(f"{entry}.lock"), OwnerFile(entry)
    try:
        _acquire(lock, owner, tell_wait)
        with owner.beating():
            yield
    finally:
        lock.release()


def _acquire(lock: FileLock, owner: OwnerFile, tell_wait: Callable[[], None]) -> None:
    """Take lock and owner's file, or go on without what a dead process holds."""
    started = since = time.monotonic()
    seen, is_notified = owner.read(), False
    while True:
        is_locked = _try(lock)
        current = owner.read()
        if is_locked and (current is None or is_gone(current.partition("\n")[0])):
            owner.clear(current)
            if owner.claim() or owner.read() == current:  # which nobody may remove here
                return
            continue
        now = time.monotonic()
        if current != seen or (not is_locked and _is_at_work_here(current)):
            seen, since = current, now
        elif now - since >= STALE_S:
            owner.clear(current)
            owner.claim()
            return
        if not is_notified and now - started >= QUIET_WAIT_S:
            is_notified = True
            tell_wait()
        if is_locked:
            time.sleep(POLL_S)


def _try(lock: FileLock) -> bool:
    """Whether the lock is held now, or there is none to be held."""
    if lock.is_locked:
        return True
    try:
        lock.acquire(timeout=min(POLL_S, QUIET_WAIT_S))
    except Timeout:
        return False
    except NotImplementedError:
        return True
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def _is_at_work_here(content: str | None) -> bool:
    """Whether an owner lives on this machine, whose locks are what they say."""
    name = (content or "").partition("\n")[0]
    return is_of_this_machine(name) and not is_gone(name)


class OwnerFile:
    """The file beside an entry that says who makes it: a process, and a count that grows."""

    def __init__(self, entry: Path) -> None:
        self._entry, self._path = entry, Path(f"{entry}.owner")
        self._own = f"{this_process()}\n{secrets.token_hex(4)} "
        self._over = threading.Event()

    def read(self) -> str | None:
        """Its content; None if there is none."""
        try:
            # A pipe in its place would be waited for, a link lead elsewhere.
            descriptor = os.open(self._path, os.O_RDONLY | _flag("O_NOFOLLOW", "O_NONBLOCK"))
        except FileNotFoundError:
            return None
        except OSError:
            return ""
        try:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            data = os.read(descriptor, OWNER_BYTES) if is_file else b""
        except OSError:
            data = b""
        finally:
            os.close(descriptor)
        return data.decode("utf-8", "replace")

    def claim(self) -> bool:
        """Make it this process's; False if it is another's. On a full disk the lock has to do."""
        try:
            self._write("0", os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        except OSError:
            return True
        return True

    def clear(self, content: str | None) -> None:
        """Remove what a dead process has left: the file, and what it had written of the entry."""
        if content is None:
            return
        name = content.partition("\n")[0]
        # One of which that is not certain may be slow, and write it to the end.
        for path in unfinished_of(self._entry, name) if is_gone(name) else ():
            remove_tree(path)
        with suppress(OSError):
            self._path.unlink()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Have it change within the block; it is gone afterwards, if it is still this process's."""
        beats = threading.Thread(target=self._beat, name="store owner", daemon=True)
        beats.start()
        try:
            yield
        finally:
            self._over.set()
            beats.join()
            if self._is_own():
                with suppress(OSError):
                    self._path.unlink()

    def _beat(self) -> None:
        count = 0
        while not self._over.wait(BEAT_S) and self._is_own():
            count += 1
            with suppress(OSError):  # one that is missed is made up for by the next
                self._write(str(count), os.O_TRUNC | _flag("O_NOFOLLOW"))

    def _is_own(self) -> bool:
        return (self.read() or "").startswith(self._own)

    def _write(self, count: str, flags: int) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | flags, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(f"{self._own}{count}\n".encode())


def _flag(*names: str) -> int:
    """Flags of `os.open`, as far as the system has them."""
    return sum(getattr(os, name, 0) for name in names)
