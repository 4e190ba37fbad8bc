"""Checks of samples: their number, captions, images and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmclf.data.checks.check import NONE, Check, CheckStatus, counted, join_equal, percent
from mmclf.data.checks.duplicates import (
    Groups,
    also_in_training,
    in_several_parts,
    same_captions,
    with_different_labels,
)
from mmclf.data.checks.labels import MAX_IMBALANCE, MIN_POSITIVES, LabelRow, imbalance
from mmclf.data.checks.parts import check_label_parts
from mmclf.data.image_locations import ImageLocation, ParquetCell
from mmclf.data.images import NO_BYTES
from mmclf.data.label_support import check_label_support
from mmclf.data.problems import listed, shown
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.errors import InputError


def problem_checks(name: str, error: InputError) -> list[Check]:
    """A check named `name` with status `bad` for each problem of the error."""
    return [Check("bad", name, problem) for problem in error.problems]


def check_samples(samples: Samples, parts: Parts | None) -> list[Check]:
    """Count samples, label sets, labels per sample and words per caption."""
    count, width = samples.labels.shape
    sizes = [f"{name} {len(rows)}" for name, rows in parts.items()] if parts is not None else []
    sets = len({row.tobytes() for row in samples.labels})
    words = [len(caption.split()) for caption in samples.captions]
    return [
        Check("ok", "samples", f"{count}{f' ({listed(sizes)})' if sizes else ''}"),
        Check("ok", "ids", "each stands once"),
        Check(
            "ok",
            "labels",
            f"{width}; {samples.labels.sum(dtype=int) / count:.2f} a sample, "
            f"{sets} distinct label sets",
        ),
        Check("ok", "words a caption", f"{sum(words) / count:.1f}, at most {max(words)}"),
    ]


def check_captions(samples: Samples, parts: Parts | None) -> list[Check]:
    """Check for captions that are empty, repeated, or both in training and in another part."""
    empty = [shown(i) for i, c in zip(samples.ids, samples.captions, strict=True) if not c.split()]
    if len(empty) == len(samples):
        return [Check("note", "empty captions", "all: a run needs text=none")]
    groups = same_captions(samples.captions)
    largest = sorted(groups, key=len, reverse=True)
    examples = [f"{shown(samples.captions[group[0]])} ({len(group)} times)" for group in largest]
    return [
        counted("empty captions", len(empty), len(samples), "captions", empty),
        _grouped("same captions", groups, len(samples), examples),
        *_in_training("captions", groups, samples, parts, "note"),
    ]


def check_images(
    samples: Samples, unreadable: Mapping[int, str], *, size: int, on_bad_image: str
) -> list[Check]:
    """Check for missing and unreadable images.

    Args:
        samples: all samples of the source.
        unreadable: the error message of each image that could not be read, by row.
        size: of the decoded images in pixels.
        on_bad_image: `error` or `skip`, as in `data.on_bad_image`.

    """
    status: CheckStatus = "bad"
    advice = ": replace the files"
    if on_bad_image == "error":
        advice += ", or leave their samples out by data.on_bad_image=skip"
    elif len(unreadable) < len(samples):
        status, advice = "note", "; their samples are left out"
    exists = {row: _exists(samples.images[row], why) for row, why in unreadable.items()}
    missing = [shown(samples.ids[row]) for row in unreadable if not exists[row]]
    broken = [
        f"{shown(samples.ids[row])} ({_reason(reason, samples.images[row])})"
        for row, reason in unreadable.items()
        if exists[row]
    ]
    count = len(samples)
    return [
        Check("ok", "images", f"{count - len(unreadable)} of {count} read, at {size} pixels"),
        counted("missing images", len(missing), count, "images", missing, status, advice),
        counted("unreadable images", len(broken), count, "images", broken, status, advice),
    ]


def _exists(image: ImageLocation, reason: str) -> bool:
    if isinstance(image, ParquetCell):
        return NO_BYTES not in reason
    try:
        image.stat()
    except OSError:
        return False
    return True


def _reason(message: str, image: ImageLocation) -> str:
    reason = message.removeprefix(f"{image} cannot be read as an image (")
    return reason.partition("): replace the file")[0]


def check_same_images(samples: Samples, groups: Groups, parts: Parts | None) -> list[Check]:
    """Check for identical images of several groups, with different labels, or in several parts.

    Args:
        samples: all samples of the source.
        groups: rows of identical images.
        parts: of the split; None if the samples could not be split.

    """

    def names(groups: Groups) -> list[str]:
        return [join_equal([shown(samples.ids[i]) for i in group]) for group in groups]

    conflicting = with_different_labels(groups, samples.labels)
    # Samples of one group may well have one picture: they stay together.
    belonging = samples.group_numbers
    apart = tuple(rows for rows in groups if len(set(belonging[[*rows]].tolist())) > 1)
    checks = [
        _grouped("same images", apart, len(samples), names(apart)),
        counted(
            "same image, other labels",
            len(conflicting),
            len(groups),
            "pictures",
            names(conflicting),
        ),
    ]
    if parts is not None:
        divided = in_several_parts(apart, parts)
        checks.append(
            counted(
                *("same image, several parts", len(divided), len(apart), "pictures"),
                names(divided),
                "bad",
                ": keep one sample of each, or make each picture a group",
            )
        )
    return [*checks, *_in_training("images", groups, samples, parts, "bad")]


def check_labels(samples: Samples, parts: Parts, rows: Sequence[LabelRow]) -> list[Check]:
    """Check for labels that are missing or rare in training, and for unbalanced parts."""
    try:
        check_label_support(samples.labels, parts, samples.label_names)
        checks = [Check("ok", "labels not in training", NONE)]
    except InputError as error:
        checks = problem_checks("labels not in training", error)
    rare = [f"{shown(row.name)} ({row.counts['train']})" for row in rows if row.is_rare]
    name = f"labels fewer than {MIN_POSITIVES} times in training"
    return [
        *checks,
        *check_label_parts(samples, parts),
        counted(name, len(rare), len(rows), "labels", rare),
        *_check_balance(rows),
    ]


def _check_balance(rows: Sequence[LabelRow]) -> list[Check]:
    ranked = [
        (imbalance(row.least_balanced[1]), row, row.least_balanced)
        for row in rows
        # What a part lacks altogether is told for itself.
        if row.least_balanced is not None and row.least_balanced[1] > 0
    ]
    if not ranked:
        return []
    count = sum(1 for value, *_ in ranked if value > MAX_IMBALANCE)
    _, row, (part, ratio) = max(ranked, key=lambda entry: entry[0])
    worst = (
        f"the worst is {shown(row.name)} in {part}, {ratio:.2f} times its share in train "
        f"({percent(row.shares['train'])} and {percent(row.shares[part])})"
    )
    if count == 0:
        return [Check("ok", "balance of the split", worst)]
    detail = f"{count} of {len(rows)} labels off by more than {MAX_IMBALANCE:g} times; {worst}"
    return [Check("note", "balance of the split", detail)]


def _grouped(name: str, groups: Groups, total: int, examples: Sequence[str]) -> Check:
    if not groups:
        return Check("ok", name, NONE)
    number = "1 group" if len(groups) == 1 else f"{len(groups)} groups"
    detail = f"{sum(map(len, groups))} of {total} samples, in {number}: {listed(examples)}"
    return Check("note", name, detail)


def _in_training(
    kind: str, groups: Groups, samples: Samples, parts: Parts | None, status: CheckStatus
) -> list[Check]:
    """Count the validation and test samples whose caption or image occurs in training."""
    if parts is None:
        return []
    checks = []
    for part in ("val", "test"):
        rows, total = also_in_training(groups, parts, part), len(parts[part])
        names = [shown(samples.ids[i]) for i in rows]
        things = f"{part} samples ({percent(len(rows) / total)})"
        name = f"{part} {kind} in training"
        checks.append(counted(name, len(rows), total, things, names, status))
    return checks
