"""The components of a run: what a config group may name as `_target_`, and what mmclf passes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["module", "module or transformer", "fitted", "optimizer", "scheduler", "loader"]
StageName = Literal["load", "encode", "fit", "decide"]

MODULE = "a subclass of torch.nn.Module"
MODULE_PACKAGES = ("mmclf", "torch.nn", "timm")


@dataclass(frozen=True)
class Component:
    """What may stand in a group's `_target_`, and the stage whose result depends on it.

    The target must be of `kind`, which is `expected` in words, and be defined in one of `packages`
    or in a module of the user's own. mmclf itself passes the arguments in `provided`, which no
    config sets.
    """

    stage: StageName
    kind: Kind
    expected: str
    packages: tuple[str, ...]
    provided: tuple[str, ...] = ()


# What mmclf alone passes, to whatever takes it: it says what else is allowed.
NEVER_SET = ("allow_model_types",)

# By config group, in the order of the data's way.
COMPONENTS: Mapping[str, Component] = {
    "data": Component("load", "loader", "a function that returns Samples", ("mmclf.data",)),
    "vision": Component("encode", "module", MODULE, MODULE_PACKAGES),
    "text": Component(
        "encode",
        "module or transformer",
        f"{MODULE}, or a class with fit and transform",
        MODULE_PACKAGES,
        ("train_captions",),
    ),
    "fusion": Component("fit", "module", MODULE, MODULE_PACKAGES, ("dims", "make_head")),
    "loss": Component("fit", "module", MODULE, MODULE_PACKAGES, ("train_labels",)),
    "threshold": Component("decide", "fitted", "a class with fit", ("mmclf",)),
    "optimizer": Component(
        "fit",
        "optimizer",
        "a subclass of torch.optim.Optimizer",
        ("mmclf", "torch.optim", "timm"),
        ("params",),
    ),
    "scheduler": Component(
        "fit",
        "scheduler",
        "a subclass of torch.optim.lr_scheduler.LRScheduler that needs no metric",
        ("mmclf", "torch.optim"),
        ("optimizer", "total_steps", "T_max", "max_lr"),
    ),
}

# A `_target_` among a component's own settings, under a name that no group has.
INNER = "inner component"
INNER_COMPONENT = Component("fit", "module", MODULE, MODULE_PACKAGES)


def groups_of(stage: StageName) -> tuple[str, ...]:
    """The config groups whose components are in the key of `stage`."""
    return tuple(group for group, entry in COMPONENTS.items() if entry.stage == stage)


# In the order of the fusion; any may be left out, not all.
MODALITIES = groups_of("encode")


def component(role: str) -> Component:
    """The component of a config group, or that of another component's setting for `INNER`."""
    return INNER_COMPONENT if role == INNER else COMPONENTS[role]
