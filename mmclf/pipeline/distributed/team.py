"""Team: the other processes of a run, as the main one has them compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from mmclf.config.schema import Config
from mmclf.config.user_modules import folder_in_use
from mmclf.errors import InputError
from mmclf.evaluation.threshold_search import Empty
from mmclf.pipeline.distributed.messages import (
    DONE,
    ENCODE,
    GATHER,
    fit_packet,
    prepare_packet,
)
from mmclf.pipeline.run_data import RunData
from mmclf.storage.store.stage_result import Computed
from mmclf.training.checkpoint import Keeper
from mmclf.training.components import ModelComponents
from mmclf.training.distributed.agreed_keeper import AgreedKeeper
from mmclf.training.distributed.world import World
from mmclf.training.encoding import ModalityEncoding
from mmclf.training.evaluate import NonFiniteLossError
from mmclf.training.features import Features
from mmclf.training.fit import FittedModel, OnEpoch, fit_model
from mmclf.training.fit_data import FitData
from mmclf.training.precision import Precision

# What arises in all processes alike, so that they can go on with another run.
SAME = (NonFiniteLossError,)

T = TypeVar("T")


class TeamError(RuntimeError):
    """Another process has failed at its part, and goes on with the next run."""


class Team:
    """The other processes of `world`, at one run.

    Errors of theirs are InputError or TeamError; LostProcessError where one of them has ended.
    """

    def __init__(self, world: World, config: Config) -> None:
        self._world, self._config = world, config

    def prepare(
        self, data: RunData, missing: Sequence[str], build: Callable[[], ModelComponents]
    ) -> ModelComponents:
        """What `build` builds, while the others read the data and build the same.

        Args:
            data: of the run.
            missing: modalities whose frozen encoders are needed.
            build: of the components.

        """
        parts = dict(data.parts.items())
        packet = prepare_packet(
            self._config, data.samples, data.images, parts, folder_in_use(), missing
        )
        self._world.order(*packet)
        components, _ = self._at_once(build)
        return components

    def encode(
        self,
        encoding: ModalityEncoding,
        encoder: Any,
        modality: str,
        view: int,
        precision: Precision,
        device: torch.device,
    ) -> Computed[Features]:
        """The features of one view, each process encoding its share of the batches."""
        order = {"do": ENCODE, "modality": modality, "view": view, "precision": precision}
        self._world.order(order)
        computed, answers = self._at_once(
            lambda: encoding.encode(
                encoder,
                view,
                settings=self._config.encode,
                precision=precision,
                device=device,
                share=self._world.share,
            )
        )
        self._world.order({"do": GATHER})
        values = computed.value.values
        with self._world.together(()):
            for rank, answer in enumerate(answers, start=1):
                count, width = answer["shape"]
                rows = self._world.receive_from(rank, (count,), torch.int64).numpy()
                values[rows] = self._world.receive_from(rank, (count, width), torch.float32).numpy()
        encoded = int((~np.isnan(values).all(axis=1)).sum())
        seconds = max(computed.seconds, *(float(answer["seconds"]) for answer in answers))
        return replace(computed, seconds=seconds, count=encoded)

    def fit(
        self,
        components: ModelComponents,
        data: FitData,
        empty: Empty,
        device: torch.device,
        on_epoch: OnEpoch,
        keeper: Keeper,
    ) -> FittedModel:
        """The model that all processes train together; see `fit_model`."""
        every = self._config.checkpoint_every if self._config.cache == "on" else None
        self._world.order(*fit_packet(data, empty, every, keeper.resumed))
        agreed = AgreedKeeper(keeper, self._world, device, is_asked=every is not None)
        fitted, _ = self._at_once(
            lambda: fit_model(components, data, empty, device, on_epoch, agreed, self._world),
            same=SAME,
        )
        return fitted

    def _at_once(
        self, work: Callable[[], T], same: tuple[type[Exception], ...] = (Exception,)
    ) -> tuple[T, list[Mapping[str, Any]]]:
        """What this process computes, and the others' answers to the order that they work at.

        After an error of the kinds `same` all can go on with another order.
        """
        with self._world.together(same):
            try:
                result = work()
            except same:
                self._world.replies()
                raise
            answers = self._world.replies()
        self._check(answers)
        return result, answers

    def dismiss(self) -> None:
        """Tell the others that they are done with the run."""
        if not self._world.is_over:
            self._world.order({"do": DONE})

    def _check(self, answers: list[Mapping[str, Any]]) -> None:
        """Raise an error of the others."""
        for rank, answer in enumerate(answers, start=1):
            problems = answer.get("problems")
            if problems:
                raise InputError(*(f"process {rank}: {problem}" for problem in problems))
            if answer.get("error"):
                raise TeamError(f"process {rank} failed: {answer['error']}")


@contextmanager
def team_of(world: World | None, config: Config) -> Iterator[Team | None]:
    """The team of a run in several processes, dismissed after the block; None for one process."""
    if world is None:
        yield None
        return
    team = Team(world, config)
    try:
        yield team
    finally:
        team.dismiss()
