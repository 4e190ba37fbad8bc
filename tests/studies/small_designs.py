"""Factors of a few levels, and their designs as plain lists."""

from __future__ import annotations

from mmclf.studies.design import Design, build_design
from mmclf.studies.factors import Factor, Level


def factor(name: str, *levels: str) -> Factor:
    return Factor(name, tuple(Level(level, (f"{name}={level}",)) for level in levels))


LOSS = factor("loss", "bce", "focal", "asymmetric")
DROPOUT = factor("dropout", "0.0", "0.2")
CHANGES = [factor("loss", "bce", "wbce"), factor("lr", "1", "2"), factor("size", "64", "256")]


def design(kind: str, *factors: Factor, baseline: str | None = None, orders: int = 4) -> Design:
    return build_design(kind, factors, baseline, orders)


def arms(built: Design) -> list[tuple[str, str]]:
    return [(arm.name, " ".join(arm.overrides)) for arm in built.arms]


def effects(built: Design) -> list[tuple[str, dict[str, float]]]:
    return [(effect.name, dict(effect.weights)) for effect in built.effects]
