"""Which column of a table holds what: by its name, and by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from mmclf.data.guess.label_cells import is_list_column, labels_in, separator_of
from mmclf.data.guess.pictures import is_picture

MANY_WORDS = 5  # different ones, which a column of a few numbers or classes does not have
# Words in the names of columns, the likeliest first.
IMAGE_WORDS = ("image", "img", "picture", "photo", "path", "file", "filename")
CAPTION_WORDS = (
    *("caption", "captions", "text", "sentence", "sentences", "description", "raw", "body"),
    *("comment", "review", "abstract", "content", "plot", "overview", "title", "question"),
)
LABEL_WORDS = (
    *("labels", "label", "tags", "tag", "genres", "genre", "categories", "category", "classes"),
    *("class", "topics", "topic", "targets", "target", "keywords", "attributes", "objects"),
)
SPLIT_WORDS = ("split", "part", "partition", "subset", "set", "fold", "phase")
ID_WORDS = ("id", "uid", "key", "index")
GROUP_WORDS = ("group", "patient", "subject")
PARTS = frozenset(["", "train", "training", "val", "validation", "valid", "dev", "test"])
MIN_WORDS = 3.0  # of a caption, on average
MAX_LABEL_SHARE = 0.5  # of distinct labels among all labels that stand in a column

Columns = Mapping[str, Sequence[object]]


def named(columns: Collection[str], words: Sequence[str]) -> list[str]:
    """The columns with one of the words in their names: first those of no other word, then by word.

    So of labels, num_labels and tags with (labels, tags) labels, tags, num_labels.
    """
    ranked: list[tuple[bool, int, str]] = []
    for name in columns:
        own = _words(name)
        ranked += [(len(own) > 1, words.index(word), name) for word in own if word in words]
    return list(dict.fromkeys(name for _, _, name in sorted(ranked, key=lambda rank: rank[:2])))


def _words(name: str) -> list[str]:
    """The words of a name as imageId, Image-ID or image_id, in small letters."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.casefold() for word in re.split(r"[\W_]+|(?<=\D)(?=\d)", apart) if word]


def texts(cells: Sequence[object]) -> list[str]:
    """The cells that hold a text or a whole number, without the empty ones."""
    return [str(cell) for cell in cells if type(cell) in (str, int) and str(cell).strip()]


def picture_columns(columns: Columns) -> list[str]:
    """The columns of image files' names, those called like such, and those of many single words.

    Names may lack their suffix: of the last ones, files that are there decide.
    """
    filled = {name: texts(cells) for name, cells in columns.items()}
    files = [
        name
        for name, column_cells in filled.items()
        if column_cells and sum(map(is_picture, column_cells)) > len(column_cells) / 2
    ]
    called = [name for name in named(columns, (*IMAGE_WORDS, *ID_WORDS)) if filled[name]]
    words = [
        name
        for name, column_cells in filled.items()
        if len(set(column_cells)) >= MANY_WORDS
        and not any(text.split()[1:] for text in column_cells)
    ]
    return [*named(files, IMAGE_WORDS), *files, *called, *words]


def split_column(columns: Columns) -> str | None:
    """The column whose cells are all names of parts."""
    for name in named(columns, SPLIT_WORDS):
        values = {str(cell).strip().casefold() for cell in columns[name]}
        if values - {""} and values <= PARTS:
            return name
    return None


def label_column(columns: Columns) -> str | None:
    """The column of labels: called so, or whose labels stand in many rows; lists before texts."""
    called = named(columns, LABEL_WORDS)
    if called:
        return called[0]
    repeating = [name for name, cells in columns.items() if _repeats(cells)]
    lists = [name for name in repeating if is_list_column(columns[name])]
    return next(iter([*lists, *repeating]), None)


def _repeats(cells: Sequence[object]) -> bool:
    labels = labels_in(cells, separator_of(texts(cells)))
    numbers = sum(count for label, count in labels.items() if not label.isdigit())
    return 1 < len(labels) <= MAX_LABEL_SHARE * labels.total() and numbers > 0


def caption_columns(columns: Columns) -> list[str]:
    """The column of captions, or several that are numbered alike, as caption_1 and caption_2.

    Called so, or else the one with the most words.
    """
    called = named(columns, CAPTION_WORDS)
    if called:
        stem = _stem(called[0])
        numbered = [name for name in columns if _stem(name) == stem and name != stem]
        return numbered if called[0] in numbered and len(numbered) > 1 else called[:1]
    words = {name: mean_words(cells) for name, cells in columns.items()}
    longest = max(words, key=lambda name: words[name], default=None)
    return [longest] if longest is not None and words[longest] >= MIN_WORDS else []


def _stem(name: str) -> str:
    """A name without the number at its end."""
    return re.sub(r"[\W_]*\d+$", "", name)


def mean_words(cells: Sequence[object]) -> float:
    """The mean number of words of the cells that hold any; of lists that of their texts."""
    items = [item for cell in cells for item in (cell if isinstance(cell, list) else [cell])]
    counts = [len(text.split()) for text in texts(items)]
    return sum(counts) / len(counts) if counts else 0.0


def id_column(columns: Columns) -> str | None:
    """The column that is called an id and has a text in each row."""
    called = named(columns, ID_WORDS)
    return next((name for name in called if len(texts(columns[name])) == len(columns[name])), None)


def group_column(columns: Columns) -> str | None:
    """The column that is called a group, and whose cells stand in several rows."""
    called = named(columns, GROUP_WORDS)
    return next((name for name in called if _is_repeated(columns[name])), None)


def _is_repeated(cells: Sequence[object]) -> bool:
    cell_texts = texts(cells)
    return 1 < len(set(cell_texts)) < len(cell_texts)
