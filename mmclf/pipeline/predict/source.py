"""The samples that a run's own source reads to predict for, with or without labels."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmclf.config.component_overrides import with_overrides
from mmclf.config.moved_targets import with_current_targets
from mmclf.config.schema import OWN_KEYS, Node
from mmclf.config.targets import build, parameters, resolve
from mmclf.data.image_locations import ImageLocation
from mmclf.data.image_paths import image_paths
from mmclf.data.samples import Samples
from mmclf.data.sources import coco, competition, demo, table
from mmclf.data.sources.caption_use import CaptionUse
from mmclf.data.sources.coco_parts import CocoFiles
from mmclf.data.sources.competition_csv import read_rows
from mmclf.data.text_io import read_text
from mmclf.errors import InputError
from mmclf.pipeline.predict.table import LabelForm
from mmclf.storage.file_limits import RECORD_NODES, YAML_BYTES
from mmclf.storage.tracking import Tracker

TEST_CSV, IMAGES = "test.csv", "data"
COMPETITION = LabelForm("ImageID", "Labels")
LAYOUT = """expected
  {root}/{test_csv}  with the columns ImageID,Caption, or ImageID,Labels,Caption (labels not used)
  {root}/{images}/     with the images that ImageID names, for a run that used images"""
# What a table is read with, whatever the run's had: no labels, and all of its rows.
WITHOUT_LABELS: Node = {
    **dict.fromkeys(("label_column", "label_columns", "labels", "split_column", "group_column")),
    "unlabelled": "keep",
}
OTHER_DATA = (
    "to predict for other data, give its source, as data=table data.root=DIR data.file=FILE, or "
    "--root DIR for a test set in the competition's form"
)


@dataclass(frozen=True)
class SamplesToPredict:
    """N samples without labels, and the form in which their labels are written.

    Args:
        ids: of the samples.
        captions: of the samples; several of one where the source has them.
        images: gives where they are, none for a source without images; raises InputError.
        form: of the labels.
        notes: for people, what the source left out.

    """

    ids: Sequence[str]
    captions: Sequence[str | Sequence[str]]
    images: Callable[[], Sequence[ImageLocation]]
    form: LabelForm
    notes: Sequence[str] = ()


def data_node(tracker: Tracker, run_id: str) -> Node:
    """The settings of a run's data source, out of the configuration that it left."""
    run = tracker.find(run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = tracker.fetch(run, "config.yaml", Path(folder))
        try:
            tree = yaml.safe_load(read_text(path, YAML_BYTES))
            _check_nodes(tree)
            node = with_current_targets(tree["data"])
            return {str(key): value for key, value in node.items() if key not in OWN_KEYS["data"]}
        except (
            OSError,
            ValueError,
            yaml.YAMLError,
            TypeError,
            LookupError,
            AttributeError,
            RecursionError,
            InputError,
        ) as error:
            raise InputError(
                f"run {run.id}: config.yaml is damaged ({type(error).__name__}): do the run again, "
                f"or restore the file; {OTHER_DATA}"
            ) from error


def _check_nodes(tree: object) -> None:
    """Raise ValueError for more values than a configuration has.

    A few lines of YAML can refer to each other so that they are billions.
    """
    waiting, count = [tree], 0
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (dict, list)):
            continue
        count += len(node)
        if count > RECORD_NODES:
            raise ValueError(f"it has more than {RECORD_NODES} values")
        waiting += node.values() if isinstance(node, dict) else node


def read_samples(node: Node, allow: Sequence[str]) -> Samples:
    """All samples that a run on the source of `node` reads, with their labels.

    Raises InputError for settings that it does not take, and for data that cannot be read.
    """
    checked = with_overrides(node, "data", (), allow)
    samples: Samples = build(checked, "data", allow)
    return samples


def read_to_predict(node: Node, overrides: Sequence[str], allow: Sequence[str]) -> SamplesToPredict:
    """What the source of `node`, with overrides `data.KEY=VALUE`, reads to predict for.

    Raises InputError for settings that it does not take, and for data that cannot be read.
    """
    node = with_overrides(node, "data", overrides, allow)
    reader = READERS.get(resolve(node["_target_"], "data", allow), _of_labelled)
    return reader(node, allow)


def competition_samples(
    root: Path, *, test_csv: str = TEST_CSV, images: str = IMAGES, setting: str = "data.root"
) -> SamplesToPredict:
    """The test set in `root`, which `setting` names, in the competition's form."""
    layout = LAYOUT.format(
        root="DIR" if setting == "--root" else "ROOT", test_csv=test_csv, images=images
    )
    if not root.is_dir():
        raise InputError(f"{setting}: there is no folder {root}; {layout}")
    path = root / test_csv
    if not path.is_file():
        raise InputError(f"{setting}: {root} has no {test_csv}; {layout}")
    rows = read_rows(path)
    if not rows:
        raise InputError(f"{path} has no rows; expected at least one sample to predict")

    def paths() -> Sequence[Path]:
        folder = root / images
        if not folder.is_dir():
            raise InputError(
                f"{setting}: {root} has no folder {images}, and the run used images; {layout}"
            )
        locations = [f"{path}, line {row.line}" for row in rows]
        return image_paths(folder, [row.id for row in rows], locations)

    return SamplesToPredict(
        [row.id for row in rows], [row.caption for row in rows], paths, COMPETITION
    )


def _of_competition(node: Node, _allow: Sequence[str]) -> SamplesToPredict:
    names = {key: node[key] for key in ("test_csv", "images") if key in node}
    return competition_samples(Path(node["root"]), **names)


def _of_table(node: Node, allow: Sequence[str]) -> SamplesToPredict:
    samples: Samples = build(node | WITHOUT_LABELS, "data", allow)
    names = (node.get("id_column"), node.get("image_column", "image"), "row")
    form = LabelForm(
        next(str(name) for name in names if name is not None),
        str(node.get("label_column") or "labels"),
        str(node.get("separator", " ")),
        _flag_prefix(node.get("label_columns")),
        node.get("rows") == "per_label",
    )
    return _to_predict(samples, form)


def _flag_prefix(columns: str | Sequence[object] | None) -> str | None:
    """What stands before the labels in the names of a table's 0/1 columns; None without such."""
    patterns = [columns] if isinstance(columns, str) else [str(name) for name in columns or ()]
    if len(patterns) == 1 and patterns[0].endswith("*"):
        return patterns[0][:-1]
    # Of several columns by their names the labels have these names; PREFIX* among them is no form.
    return "" if patterns and not any(name.endswith("*") for name in patterns) else None


def _of_labelled(node: Node, allow: Sequence[str]) -> SamplesToPredict:
    """All samples of a source, with the labels that it needs to be read at all."""
    if "unlabelled" in parameters(resolve(node["_target_"], "data", allow)):
        node = node | {"unlabelled": "keep"}
    with _leading_on():
        samples: Samples = build(node, "data", allow)
    return _to_predict(samples, LabelForm("image" if samples.images else "id", "labels"))


def _to_predict(samples: Samples, form: LabelForm) -> SamplesToPredict:
    captions: Sequence[str | Sequence[str]] = samples.captions
    if samples.other_captions:
        pairs = zip(samples.captions, samples.other_captions, strict=True)
        captions = [(first, *others) for first, others in pairs]
    return SamplesToPredict(samples.ids, captions, lambda: samples.images, form, samples.notes)


def _of_coco(node: Node, _allow: Sequence[str]) -> SamplesToPredict:
    others = ("_target_", "categories", "unlabelled", "caption_use")
    settings = {key: value for key, value in node.items() if key not in others}
    caption_use: CaptionUse = node.get("caption_use", "first")
    with _leading_on():
        samples = coco.load_unlabelled(CocoFiles(**settings), caption_use)
    return _to_predict(samples, LabelForm("image", "labels"))


@contextmanager
def _leading_on() -> Iterator[None]:
    """Say of data that cannot be read how other data are given."""
    try:
        yield
    except InputError as error:
        raise InputError(*error.problems, OTHER_DATA) from error


READERS: Mapping[Any, Callable[[Node, Sequence[str]], SamplesToPredict]] = {
    coco.load: _of_coco,
    competition.load: _of_competition,
    demo.load: _of_competition,
    table.load: _of_table,
}
