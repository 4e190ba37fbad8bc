"""World: the processes that make a run together, as seen by one of them.

The main process, number 0, orders what is computed; the others follow. Orders and answers are JSON,
what is large goes as tensors: nothing that is sent can run code.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from mmclf.errors import InputError, LostProcessError, unforeseen
from mmclf.storage.launched import LOOPBACK, Launched
from mmclf.training.distributed.collectives import Collectives
from mmclf.training.distributed.links import (
    END,
    FAILED,
    LAST,
    LOST,
    Link,
    Listener,
    Message,
    connect,
    start_beating,
)

# Of what processes do at once. While one waits for a tracking server, the others wait for it.
TIMEOUT = timedelta(minutes=30)
NOTICE_S = 2.0  # until the end of a process is known of which an operation has failed
ABANDON_S = 20.0  # for a process that is to end, and waits for what never comes
GREETING = 256  # bytes
INTERRUPTED = 130  # exit status
ORDER, REPLY = "order", "reply"
LOOPBACK_DEVICE = {"linux": "lo", "darwin": "lo0"}
DTYPES: Mapping[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}


class World(Collectives):
    """All processes of a run.

    Attributes:
        local_rank: the number of this one among those on this machine.

    Args:
        launched: this process's rank and address.

    """

    def __init__(self, launched: Launched) -> None:
        super().__init__(launched.rank, launched.count)
        self.local_rank = launched.local_rank
        self._links: dict[int, Link] = {}
        self._inbox: queue.Queue[tuple[int, Message]] = queue.Queue()
        self._over: str | None = None  # why there is nobody to work with any more
        self._ended, self._status = threading.Event(), 1
        self._is_ending = False  # and a signal changes nothing

    # What the main process does.

    def order(self, message: Message, tensors: Sequence[Tensor] = ()) -> None:
        """Tell the others what to do, and send them tensors; raises LostProcessError."""
        self.check()
        specs = [[str(t.dtype).removeprefix("torch."), list(t.shape)] for t in tensors]
        with self.together(()):
            for link in self._links.values():
                link.send({**message, "kind": ORDER, "tensors": specs})
            for tensor in tensors:
                self.broadcast(tensor.detach().cpu())

    def replies(self) -> list[Message]:
        """An answer of each of the others, waited for; raises LostProcessError."""
        answers: dict[int, Message] = {}
        while len(answers) < len(self._links):
            rank, message = self._inbox.get()
            self.check()
            answers[rank] = message
        return [answers[rank] for rank in self._links]

    @property
    def is_over(self) -> bool:
        """Whether another process has ended, or was told to."""
        return self._over is not None

    @property
    def ending(self) -> str:
        """In words, which process has ended and why; empty while all are there."""
        return self._over or ""

    def check(self) -> None:
        """Raise LostProcessError if another process has ended."""
        if self._over is not None:
            raise self._lost()

    def end(self, status: int) -> None:
        """Tell the others to end with this exit status, after this process."""
        if not self._is_ending:
            self._is_ending = True
            for link in self._links.values():
                link.send({"kind": END, "status": status})
            self._destroy()

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of SIGTERM in the main process.

        A launcher sends it as soon as another process has gone: that is then the reason to end, and
        what is written about it is not to be cut short.
        """
        if self._is_ending:
            return
        if self._is_over_within(NOTICE_S / 4):
            raise self._lost()
        raise KeyboardInterrupt

    # What the others do.

    def next_order(self) -> tuple[Message, list[Tensor]] | int:
        """The next order and its tensors; the exit status when there is nothing left to do."""
        _, message = self._inbox.get()
        if message["kind"] != ORDER:
            return self._status
        tensors = [torch.empty(shape, dtype=DTYPES[name]) for name, shape in message["tensors"]]
        return message, [self.broadcast(tensor) for tensor in tensors]

    def reply(self, **answer: Any) -> None:
        """Answer an order."""
        self._links[0].send({**answer, "kind": REPLY})

    def fail(self, error: BaseException) -> NoReturn:
        """End the process because of an error, which the main one says.

        At once, as all others wait until its connections close. If the main process has ended, that
        was the reason.
        """
        if not self._ended.wait(NOTICE_S):
            self._links[0].send({"kind": FAILED, "text": unforeseen(error)})
            self._links[0].close()
        os._exit(self._status)

    def leave(self) -> None:
        """End after the main process has; first, this one would pass for the reason."""
        self._destroy()
        self._links[0].wait_closed(ABANDON_S)

    @contextmanager
    def together(self, same: tuple[type[Exception], ...]) -> Iterator[None]:
        """A block in the main process that the others are in, too.

        An error of the kinds `same` arises in all alike. Any other ends the others; where one of
        them has ended, it is LostProcessError.
        """
        failure: BaseException | None = None
        try:
            yield
        except same:
            raise
        except BaseException as error:
            failure = error
        if failure is not None:
            # Raised outside of the handler, or it would pass for what it came out of.
            if self._is_over_within(NOTICE_S if isinstance(failure, Exception) else NOTICE_S / 4):
                raise self._lost()
            self._over = f"the main process failed: {unforeseen(failure)}"
            self.end(INTERRUPTED if isinstance(failure, KeyboardInterrupt) else 1)
            raise failure

    def _is_over_within(self, seconds: float) -> bool:
        """Whether another process has ended, which may have led to an error or a signal."""
        until = time.monotonic() + seconds
        while self._over is None and time.monotonic() < until:
            time.sleep(0.02)
        return self._over is not None

    def _lost(self) -> LostProcessError:
        self.end(1)
        return LostProcessError(f"{self._over}: the run cannot go on")

    def _take(self, rank: int, message: Message) -> None:
        """Take a message of a process; called in the thread that reads its link."""
        if message["kind"] in LAST and self.is_main:
            # The first is the reason; others fail as they miss it.
            if self._over is None:
                has_failed = message["kind"] == FAILED
                what = "failed" if has_failed else "has gone"
                self._over = f"process {rank} {what}: {message['text' if has_failed else 'reason']}"
            abort_device_operations()
        elif message["kind"] in LAST:
            if message["kind"] == LOST:
                self._over = f"the main process has gone: {message['reason']}"
            self._status = int(message.get("status", 1))
            self._ended.set()
            threading.Thread(target=self._end_after_main, daemon=True).start()
        self._inbox.put((rank, message))

    def _end_after_main(self) -> None:
        """End this process when the main one has, whatever its main thread waits for."""
        self._links[0].wait_closed(ABANDON_S)
        time.sleep(NOTICE_S)
        os._exit(self._status)

    def _destroy(self) -> None:
        with suppress(Exception):
            if dist.is_initialized():
                dist.destroy_process_group()

    def _connect(self, launched: Launched) -> None:
        """Link the main process with each of the others; raises OSError if that fails."""
        address = LOOPBACK if launched.is_on_one_machine else launched.address
        greeting = torch.zeros(GREETING, dtype=torch.uint8)
        if self.is_main:
            token = secrets.token_hex(16)
            listener = Listener(address, token)
            text = json.dumps({"port": listener.port, "token": token}).encode().ljust(GREETING)
            self.broadcast(torch.frombuffer(bytearray(text), dtype=torch.uint8))
            self._links = listener.accept(self.size, self._take)
        else:
            values = json.loads(bytes(self.broadcast(greeting).tolist()))
            link = connect(address, int(values["port"]), values["token"], self.rank, self._take)
            self._links = {0: link}
        start_beating(self._links)


def join(launched: Launched) -> World:
    """The world of this process, once all of its processes are there.

    Raises InputError if they do not find each other.
    """
    world = World(launched)
    name = LOOPBACK_DEVICE.get(sys.platform)
    if launched.is_on_one_machine and name is not None:
        # Nobody beyond this machine is to reach them.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", name)
    has_gpu = torch.cuda.is_available()
    if has_gpu and launched.local_rank < torch.cuda.device_count():
        torch.cuda.set_device(launched.local_rank)
    try:
        backend = "cpu:gloo,cuda:nccl" if has_gpu and dist.is_nccl_available() else "gloo"
        dist.init_process_group(
            backend, rank=launched.rank, world_size=launched.count, timeout=TIMEOUT
        )
        world._connect(launched)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"MASTER_ADDR={launched.address}: the {launched.count} processes do not reach each "
            f"other there ({reason}): give an address of the main process's machine, and a port "
            "that is free"
        ) from error
    return world


def abort_device_operations() -> None:
    """End operations on GPUs that wait for a process that has gone; those on the CPU end alone."""
    with suppress(Exception):
        if torch.cuda.is_available() and dist.is_initialized():
            group: Any = dist.distributed_c10d._get_default_group()
            group._get_backend(torch.device("cuda")).abort()
