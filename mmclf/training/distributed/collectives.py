"""Collectives: what all processes of a run do at once, over torch.distributed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mmclf.training.share import Share


class Collectives:
    """Sums, copies and parts of tensors of all processes; each is called in all of them.

    Attributes:
        rank: the number of this process, from 0, which is the main one.
        size: how many there are.

    """

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    @property
    def is_main(self) -> bool:
        """Whether this is the main process."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """What this process computes of a batch."""
        return Share(self.rank, self.size)

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true in any process."""
        flags = torch.tensor([flag], dtype=torch.int32)
        dist.all_reduce(flags, op=dist.ReduceOp.MAX)
        return bool(flags.item())

    def broadcast(self, tensor: Tensor) -> Tensor:
        """The main process's tensor, on the CPU; elsewhere it is written to the one given."""
        if tensor.numel() == 0:
            return tensor
        # Bytes, as not every type of numbers can be sent.
        whole = tensor.contiguous()
        dist.broadcast(whole.reshape(-1).view(torch.uint8), src=0)
        return whole

    def value_of_main(self, value: float) -> float:
        """The main process's value."""
        return float(self.broadcast(torch.tensor(value, dtype=torch.float64)).item())

    def gather(self, rows: Tensor, counts: Sequence[int]) -> list[Tensor]:
        """The rows (R, ...) of each process, of which there are `counts`, in all processes."""
        most = rows.new_zeros(max(counts), *rows.shape[1:])
        most[: counts[self.rank]] = rows.detach()[: counts[self.rank]]
        gathered = [torch.empty_like(most) for _ in counts]
        dist.all_gather(gathered, most)
        return [part[:count] for part, count in zip(gathered, counts, strict=True)]

    def send_to_main(self, tensor: Tensor) -> None:
        """Send a tensor on the CPU, which the main process receives."""
        if tensor.numel() > 0:
            dist.send(tensor.contiguous(), dst=0)

    def receive_from(self, rank: int, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """In the main process, a tensor that another one sends."""
        tensor = torch.empty(*shape, dtype=dtype)
        if tensor.numel() > 0:
            dist.recv(tensor, src=rank)
        return tensor

    def align_buffers(self, model: nn.Module) -> None:
        """Give all processes the main one's buffers, as running statistics of batches."""
        by_type: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
        for buffer in model.buffers():
            by_type.setdefault((buffer.dtype, buffer.device), []).append(buffer)
        with torch.no_grad():
            for buffers in by_type.values():
                flat = torch.cat([buffer.reshape(-1) for buffer in buffers])
                sizes = [buffer.numel() for buffer in buffers]
                if flat.numel() > 0:
                    dist.broadcast(flat, src=0)
                for buffer, values in zip(buffers, torch.split(flat, sizes), strict=True):
                    buffer.copy_(values.view_as(buffer))
