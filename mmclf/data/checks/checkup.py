"""What there is to say of samples, their captions, images and labels, each as a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmclf.data.checks.check import Check, Verdict, equated, percent
from mmclf.data.checks.duplicates import (
    Groups,
    labelled_apart,
    same_captions,
    seen_in_training,
    straddling,
)
from mmclf.data.checks.labels import FEW, MOST_APART, LabelRow, distance
from mmclf.data.label_support import check_label_support
from mmclf.data.problems import listed, shown
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.errors import InputError

NONE = "none"


def problems(what: str, error: InputError) -> list[Check]:
    """The findings of an error, each as a problem."""
    return [Check("problem", what, found) for found in error.problems]


def about_samples(samples: Samples, parts: Parts | None) -> list[Check]:
    """How many samples there are, with how many labels and words."""
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


def about_captions(samples: Samples, parts: Parts | None) -> list[Check]:
    """Captions that are empty, stand more than once, or stand in training and elsewhere."""
    empty = [shown(i) for i, c in zip(samples.ids, samples.captions, strict=True) if not c.split()]
    if len(empty) == len(samples):
        return [Check("note", "empty captions", "all: a run needs text=none")]
    groups = same_captions(samples.captions)
    most = sorted(groups, key=len, reverse=True)
    alike = [f"{shown(samples.captions[group[0]])} ({len(group)} times)" for group in most]
    return [
        _counted("empty captions", len(empty), len(samples), "captions", empty),
        _grouped("same captions", groups, len(samples), alike),
        *_seen("captions", groups, samples, parts),
    ]


def about_images(
    samples: Samples, unreadable: Mapping[int, str], *, size: int, on_bad_image: str
) -> list[Check]:
    """Images that are missing, and those that cannot be read; `unreadable` says why, by row."""
    bad: Verdict = "problem"
    end = ": replace the files"
    if on_bad_image == "error":
        end += ", or leave their samples out by data.on_bad_image=skip"
    elif len(unreadable) < len(samples):
        bad, end = "note", "; their samples are left out"
    there = {row: _is_there(samples.images[row]) for row in unreadable}
    missing = [shown(samples.ids[row]) for row in unreadable if not there[row]]
    broken = [
        f"{shown(samples.ids[row])} ({_reason(why, samples.images[row])})"
        for row, why in unreadable.items()
        if there[row]
    ]
    count = len(samples)
    return [
        Check("ok", "images", f"{count - len(unreadable)} of {count} read, at {size} pixels"),
        _counted("missing images", len(missing), count, "images", missing, bad, end),
        _counted("unreadable images", len(broken), count, "images", broken, bad, end),
    ]


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _reason(why: str, path: Path) -> str:
    told = why.removeprefix(f"{path} cannot be read as an image (")
    return told.partition("): replace the file")[0]


def about_same_images(samples: Samples, groups: Groups, parts: Parts | None) -> list[Check]:
    """Pictures that stand more than once, with other labels, or in several parts of the split."""

    def alike(chosen: Groups) -> list[str]:
        return [equated([shown(samples.ids[i]) for i in group]) for group in chosen]

    odd = labelled_apart(groups, samples.labels)
    found = [
        _grouped("same images", groups, len(samples), alike(groups)),
        _counted("same image, other labels", len(odd), len(groups), "groups", alike(odd)),
    ]
    if parts is not None:
        split = straddling(groups, parts)
        what = "same image, several parts"
        found.append(_counted(what, len(split), len(groups), "groups", alike(split)))
    return [*found, *_seen("images", groups, samples, parts)]


def about_labels(samples: Samples, parts: Parts, rows: Sequence[LabelRow]) -> list[Check]:
    """Labels that training lacks or has few of, and the worst balance between the parts."""
    try:
        check_label_support(samples.labels, parts, samples.label_names)
        found = [Check("ok", "labels not in training", NONE)]
    except InputError as error:
        found = problems("labels not in training", error)
    rare = [f"{shown(row.name)} ({row.counts['train']})" for row in rows if row.is_rare]
    what = f"labels fewer than {FEW} times in training"
    return [
        *found,
        _counted(what, len(rare), len(rows), "labels", rare),
        *_about_balance(rows),
    ]


def _about_balance(rows: Sequence[LabelRow]) -> list[Check]:
    ranked = [(distance(row.apart[1]), row, row.apart) for row in rows if row.apart is not None]
    if not ranked:
        return []
    far = sum(1 for apart, *_ in ranked if apart > MOST_APART)
    _, row, (part, ratio) = max(ranked, key=lambda one: one[0])
    worst = (
        f"the worst is {shown(row.name)} in {part}, {ratio:.2f} times its share in train "
        f"({percent(row.shares['train'])} and {percent(row.shares[part])})"
    )
    if far == 0:
        return [Check("ok", "balance of the split", worst)]
    told = f"{far} of {len(rows)} labels off by more than {MOST_APART:g} times; {worst}"
    return [Check("note", "balance of the split", told)]


def _counted(
    what: str,
    count: int,
    whole: int,
    things: str,
    names: Sequence[str],
    verdict: Verdict = "note",
    end: str = "",
) -> Check:
    """How many there are of what should not be, and the first few names."""
    if count == 0:
        return Check("ok", what, NONE)
    return Check(verdict, what, f"{count} of {whole} {things}: {listed(names)}{end}")


def _grouped(what: str, groups: Groups, whole: int, alike: Sequence[str]) -> Check:
    if not groups:
        return Check("ok", what, NONE)
    many = "1 group" if len(groups) == 1 else f"{len(groups)} groups"
    told = f"{sum(map(len, groups))} of {whole} samples, in {many}: {listed(alike)}"
    return Check("note", what, told)


def _seen(what: str, groups: Groups, samples: Samples, parts: Parts | None) -> list[Check]:
    """The samples outside training whose caption or image training holds, too."""
    if parts is None:
        return []
    found = []
    for part in ("val", "test"):
        seen, whole = seen_in_training(groups, parts, part), len(parts[part])
        names = [shown(samples.ids[i]) for i in seen]
        things = f"{part} samples ({percent(len(seen) / whole)})"
        label = f"{part} {what} in training"
        found.append(_counted(label, len(seen), whole, things, names))
    return found
