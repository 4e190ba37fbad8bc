"""The settings that read a table, guessed from its first rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmclf.data.guess import columns as find
from mmclf.data.guess.label_cells import (
    as_pattern,
    empty_lists,
    is_list_column,
    labels_in,
    rows_of_no,
    separator_of,
    yes_no_columns,
)
from mmclf.data.guess.pictures import PictureFolder, find_pictures, is_picture
from mmclf.data.guess.preview import TEXT, Preview, form, read_preview
from mmclf.data.guess.settings import MISSING, Guess, Setting
from mmclf.data.problems import listed, shown

SHOWN = 4  # labels


@dataclass
class _Table:
    """A preview while its columns are shared out.

    Args:
        path: of the file.
        preview: its first rows.
        roots: folders that images may lie in or below.
        pictures: where they were found.
        taken: the role of each column that has one.

    """

    path: Path
    preview: Preview
    roots: Sequence[Path]
    pictures: PictureFolder
    taken: dict[str, str] = field(default_factory=dict)

    @property
    def free(self) -> dict[str, Sequence[object]]:
        """The columns without a role."""
        columns = self.preview.columns
        return {name: columns[name] for name in columns if name and name not in self.taken}

    def of(self, role: str) -> str | None:
        """The first column with a role."""
        return next((name for name, own in self.taken.items() if own == role), None)

    def cells(self, role: str) -> Sequence[object]:
        """What stands in it."""
        name = self.of(role)
        return self.preview.columns[name] if name is not None else ()


def guess_table(path: Path) -> Guess:
    """Guess which columns hold what, and how; raises InputError if the file cannot be read."""
    preview = read_preview(path)
    # Tables often lie in a folder beside that of the images.
    folders = [path.parent.absolute(), path.parent.absolute().parent]
    roots = [folder for folder in folders if folder != Path(folder.anchor)] or folders[:1]
    table = _Table(path.absolute(), preview, roots, PictureFolder(roots[0], ".", "", 0, 0))
    settings = [setting for guess in GUESSES for setting in guess(table)]
    file = table.path.relative_to(table.pictures.root).as_posix()
    summary = f"a table of {len({*preview.columns, *preview.pictures})} columns, of which the "
    return Guess(
        "table",
        f"{summary}first {len(preview)} rows were looked at",
        table.pictures.root,
        (Setting("file", file, "below root"), *settings),
    )


def _split(table: _Table) -> Iterator[Setting]:
    name = find.split_column(table.free)
    if name is not None:
        table.taken[name] = "split"
        values = {str(cell).strip() for cell in table.preview.columns[name]}
        yield Setting("split_column", name, f"it holds {_shown(sorted(values))}")


def _image(table: _Table) -> Iterator[Setting]:
    if table.preview.pictures:
        inside = table.preview.pictures[0]
        if inside in table.preview.columns:
            table.taken[inside] = "image"
        yield Setting("image_column", inside, "it holds the images themselves")
        return
    candidates = {
        name: find_pictures(table.roots, find.texts(table.preview.columns[name]))
        for name in find.picture_columns(table.free)
    }
    with_files = [name for name, pictures in candidates.items() if pictures.present > 0]
    # A column that is only called like one of images must name some.
    called = [name for name in candidates if is_picture(find.texts(table.free[name])[0])]
    name = next(iter([*with_files, *called]), None)
    if name is None:
        yield Setting("image_column", None, "no column names images that are there")
        return
    table.taken[name] = "image"
    table.pictures = pictures = candidates[name]
    first = find.texts(table.preview.columns[name])[0]
    yield Setting("image_column", name, f"it holds names of images, as {shown(first)}")
    why = f"{pictures.present} of {pictures.tried} that were looked for are there"
    yield Setting("images", pictures.folder, why)
    if pictures.suffix:
        yield Setting("image_suffix", pictures.suffix, "which the names lack")


def _labels(table: _Table) -> Iterator[Setting]:
    called = find.named(table.free, find.LABEL_WORDS)
    of_each = yes_no_columns(table.free)
    if len(of_each) > 1 and (not called or called[0] in of_each):
        others = [name for name in table.preview.columns if name not in of_each]
        table.taken |= dict.fromkeys(of_each, "label of its own")
        yield Setting("label_column", None, "each label has a column of its own")
        why = f"{len(of_each)} columns of yes and no, as {_shown(of_each)}"
        yield Setting("label_columns", as_pattern(of_each, others), why)
        without = rows_of_no([table.preview.columns[name] for name in of_each])
        yield from _unlabelled(without, len(table.preview))
        return
    # What is called a caption is none, however often its words stand in the rows.
    captions = find.named(table.free, find.CAPTION_WORDS)
    candidates = {name: cells for name, cells in table.free.items() if name not in captions}
    name = find.label_column(candidates)
    if name is None:
        why = f"no column looks like labels; there are {_shown(list(table.free))}"
        yield Setting("label_column", MISSING, why)
        return
    table.taken[name] = "labels"
    cells = table.preview.columns[name]
    separator = separator_of(find.texts(cells))
    labels = labels_in(cells, separator)
    most = _shown([label for label, _ in labels.most_common(SHOWN)])
    yield Setting("label_column", name, f"{len(labels)} labels, the commonest {most}")
    if is_list_column(cells):
        yield from _unlabelled(empty_lists(cells), len(cells))
        return
    is_whole = separator != " " and not any(separator in text for text in find.texts(cells))
    why = "in no cell: each is one label of several words" if is_whole else "between the labels"
    yield Setting("separator", separator, why)


def _unlabelled(without: int, rows: int) -> Iterator[Setting]:
    """Of a form in which no label is said, and not a cell left empty."""
    if without > 0:
        why = f"{without} of {rows} rows say that they have none of the labels; or drop"
        yield Setting("unlabelled", "keep", why)


def _captions(table: _Table) -> Iterator[Setting]:
    names = find.caption_columns(table.free)
    table.taken |= dict.fromkeys(names, "caption")
    if len(names) > 1:
        yield Setting("caption_column", None, "there are several")
        yield Setting("caption_columns", names, "several captions of a sample")
        yield Setting("caption_use", "each", "of several captions; or first, or join")
    elif names:
        cells = table.preview.columns[names[0]]
        words = f"texts of {find.mean_words(cells):.1f} words"
        yield Setting("caption_column", names[0], words)
        if is_list_column(cells):
            yield Setting("caption_use", "each", "of several captions; or first, or join")
    else:
        yield Setting("caption_column", None, "no column of texts was found")


def _rows(table: _Table) -> Iterator[Setting]:
    """How rows belong together: by the image, or where there are none by a column of ids."""
    image = table.of("image")
    name = image if image is not None else find.id_column(table.free)
    if name is None:
        return
    keys = [str(cell) for cell in table.preview.columns[name]]
    own_labels = _differ(keys, table.cells("labels"))
    own_captions = _differ(keys, table.cells("caption"))
    if len(set(keys)) == len(keys):
        if image is None:
            yield Setting("id_column", name, "it is called so, and each is its own")
    elif own_labels and not own_captions:
        if image is None:
            yield Setting("id_column", name, "its rows are one sample")
        yield Setting(
            "rows", "per_label", f"rows of one {shown(name)} differ in their labels alone"
        )
    elif own_captions and not own_labels:
        yield Setting("id_column", name, "its rows are one sample")
        why = f"rows of one {shown(name)} differ in their captions alone"
        yield Setting("caption_use", "each", f"{why}; or first, or join")


def _differ(keys: Sequence[str], cells: Sequence[object]) -> bool:
    """Whether rows of one key have different cells."""
    by_key: defaultdict[str, set[str]] = defaultdict(set)
    for key, cell in zip(keys, cells, strict=False):
        by_key[key].add(str(cell))
    return any(len(values) > 1 for values in by_key.values())


def _group(table: _Table) -> Iterator[Setting]:
    name = find.group_column(table.free)
    if name is not None:
        table.taken[name] = "group"
        yield Setting("group_column", name, "it is called so; what is in a group stays in one part")


def _text_form(table: _Table) -> Iterator[Setting]:
    delimiter, encoding = table.preview.delimiter, table.preview.encoding
    if delimiter is not None and delimiter != TEXT[form(table.path)]:
        yield Setting("delimiter", delimiter, "it divides the header into the most columns")
    if encoding not in (None, "utf-8", "utf-16"):
        yield Setting("encoding", encoding, "the file is no UTF-8")


def _shown(names: Sequence[str]) -> str:
    return listed([shown(name) for name in names])


# In this order each takes the columns that it says something about, and gives settings.
GUESSES: tuple[Callable[[_Table], Iterator[Setting]], ...] = (
    *(_split, _group, _image, _labels, _captions, _rows, _text_form),
)
