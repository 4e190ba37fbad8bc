"""Follower: a process of a run that is not the main one. It computes what it is ordered to.

It tracks nothing, and stores nothing but decoded images, where the store of this machine lacks
them. What goes wrong is the main process's to say.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmclf.config.schema import Config
from mmclf.config.user_modules import make_importable
from mmclf.data.split import Parts
from mmclf.errors import InputError, unforeseen
from mmclf.pipeline.distributed import messages
from mmclf.pipeline.distributed.messages import DONE, ENCODE, FIT, GATHER, PREPARE, Message
from mmclf.pipeline.distributed.team import SAME
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.run_data import RunData, decode_configured, load_samples
from mmclf.pipeline.stage_runner import deterministic
from mmclf.storage import environment
from mmclf.storage.store.store import Store
from mmclf.training.components import ModelComponents, build_components
from mmclf.training.device import check_precision, pick_device
from mmclf.training.distributed.agreed_keeper import (
    AgreedKeeper,
    FollowingKeeper,
    SignalFlag,
    flagged_signals,
    own_random,
)
from mmclf.training.distributed.world import World
from mmclf.training.fit import fit_model
from mmclf.training.fit_data import FitData
from mmclf.training.warm_up import warm_up_training


def follow(world: World) -> int:
    """Do what the main process orders, until it ends; returns the exit status."""
    environment.keep_freed_memory()
    with flagged_signals() as flag, _silent():
        while True:
            order = world.next_order()
            if isinstance(order, int):
                return order
            message, tensors = order
            if message["do"] == PREPARE:
                status = _follow_run(world, flag, message, tensors)
                if status is not None:
                    return status


def _follow_run(
    world: World, flag: SignalFlag, message: Message, tensors: list[Tensor]
) -> int | None:
    """Follow through one run; the exit status if it is the last."""
    with ExitStack() as stack:
        follower: Follower | None = None

        def prepare() -> dict[str, Any]:
            nonlocal follower
            follower = stack.enter_context(_prepared(world, flag, message, tensors))
            return {}

        world.reply(**_answer(prepare))
        if follower is None:
            return None
        warm_up_training(follower.device, follower.components.config.trainer.precision)
        while True:
            order = world.next_order()
            if isinstance(order, int):
                return order
            what = order[0]["do"]
            if what == DONE:
                return None
            try:
                answer = follower.answer(*order)
            except BaseException as error:
                world.fail(error)
            if what != GATHER:
                world.reply(**answer)


def _answer(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer to an order; an error of it is part of the answer."""
    try:
        return work()
    except InputError as error:
        return {"problems": list(error.problems)}
    except Exception as error:
        return {"error": unforeseen(error)}


@contextmanager
def _prepared(
    world: World, flag: SignalFlag, message: Message, tensors: list[Tensor]
) -> Iterator[Follower]:
    """A follower through a run, its data read and its components built.

    Raises InputError for what is wrong with this machine.
    """
    config = messages.config_of(message)
    if message["modules"] is not None:
        make_importable(Path(message["modules"]), config.allow_targets)
    device = pick_device(config.device, world.local_rank)
    check_precision(config.trainer.precision, device)
    samples = load_samples(config)
    with _store(config) as store, deterministic(config.seed, device):
        # Decoded already by the main process if the machine is the same.
        images = None if config.vision.is_none else decode_configured(config, samples, store)
        if messages.run_digest(samples, images) != message["data"]:
            raise InputError(
                f"data: what {os.uname().nodename} reads is not what the main process does: give "
                "all machines the same files"
            )
        rows = messages.parts_of(tensors)
        data = RunData(samples, Parts(**rows), images, ())
        encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
        components = build_components(config, encodings, data.labels("train"), message["missing"])
        yield Follower(world, flag, components, data, device)


@contextmanager
def _store(config: Config) -> Iterator[Store]:
    """Where this machine's decoded images are; a temporary folder with cache=off."""
    folder = Path(config.store.dir)
    hardware = environment.describe_cpu()
    store = Store(folder, hardware)
    if config.cache == "on":
        yield store
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix="off-") as name:
        yield Store(Path(name), hardware)


@dataclass
class Follower:
    """A process at a run, of which it computes its share.

    Args:
        world: of the processes.
        flag: of the signals that this one gets.
        components: of the model.
        data: of the run.
        device: to compute on.

    """

    world: World
    flag: SignalFlag
    components: ModelComponents
    data: RunData
    device: torch.device
    encoded: np.ndarray[Any, np.dtype[np.float32]] | None = None

    def answer(self, order: Message, tensors: list[Tensor]) -> dict[str, Any]:
        """Do as ordered; raises what the main process cannot go on after."""
        if order["do"] == ENCODE:
            return _answer(lambda: self._encode(order))
        if order["do"] == GATHER:
            return self._send_encoded()
        assert order["do"] == FIT
        try:
            self._fit(order, tensors)
        except SAME as error:
            return {"error": str(error)}
        return {}

    def _encode(self, order: Message) -> dict[str, Any]:
        """Encode this process's share of a view; answers with its size and seconds."""
        name = order["modality"]
        computed = self.components.encodings[name].encode(
            self.components.encoder(name),
            order["view"],
            settings=self.components.config.encode,
            precision=order["precision"],
            device=self.device,
            share=self.world.share,
        )
        self.encoded = computed.value.values
        shape = [len(_computed_rows(self.encoded)), self.encoded.shape[1]]
        return {"shape": shape, "seconds": computed.seconds}

    def _send_encoded(self) -> dict[str, Any]:
        assert self.encoded is not None
        rows = _computed_rows(self.encoded)
        self.world.send_to_main(torch.from_numpy(rows))
        self.world.send_to_main(torch.from_numpy(self.encoded[rows]))
        self.encoded = None
        return {}

    def _fit(self, order: Message, tensors: list[Tensor]) -> None:
        """Train with the others; the main process has the result."""
        samples, rank = self.data.samples, self.world.rank
        parts = dict(self.data.parts.items())
        features = messages.features_of(order, tensors)
        data = FitData(samples.ids, samples.labels, parts, features, tuple(order["means"]))
        resumed = messages.resumed_of(order, tensors)
        if resumed is not None:
            state = resumed.learner
            random = own_random(state.random, rank, self.device)
            resumed = replace(resumed, learner=replace(state, random=random))
        every = order["every"]
        keeper = FollowingKeeper(resumed, every, self.flag)
        agreed = AgreedKeeper(keeper, self.world, self.device, is_asked=every is not None)
        components, empty = self.components, order["empty"]
        fit_model(components, data, empty, self.device, lambda _: None, agreed, self.world)


def _computed_rows(values: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    """The rows that are not NaN, which those of other processes are."""
    return np.flatnonzero(~np.isnan(values).all(axis=1))


@contextmanager
def _silent() -> Iterator[None]:
    """Show nothing within the block, as the main process shows the same; errors go to it."""
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        yield
        return
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stderr(nowhere),
        redirect_stdout(nowhere),
    ):
        yield
