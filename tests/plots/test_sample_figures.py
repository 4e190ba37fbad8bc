"""The figures of single samples: errors, and what speaks for labels."""

from __future__ import annotations

import numpy as np

from mmclf.plots.attributions import STRONGEST, LabelRow, Words, attributions_figure
from mmclf.plots.errors import CELLS, ErrorRow, ErrorSample, errors_figure

PICTURE = np.zeros((20, 40, 3), dtype=np.uint8)
ODD = "a $x_1$ <b> caption \x1b of someone"


def words_of(figure: object) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]  # type: ignore[attr-defined]


def sample(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None) -> ErrorSample:
    return ErrorSample(picture, ODD, ["dog", "cat"], 0.875)


def test_a_sheet_shows_each_error_with_what_is_said_of_it() -> None:
    row = ErrorRow("dog: costs 2 points", [sample(PICTURE)] * (CELLS + 1), [])
    figure = errors_figure([row, row])
    figure.draw_without_rendering()
    texts = words_of(figure)
    assert texts.count("dog: costs 2 points") == 2
    assert texts.count("0.88") == 2 * CELLS
    assert texts.count("is dog, cat") == 2 * CELLS
    assert texts.count("no false negatives") == 2
    assert len(figure.axes[0].images) == 2 * CELLS
    assert not any("\x1b" in text for text in texts)
    assert not any(text.get_parse_math() for text in figure.axes[0].texts)


def test_without_pictures_a_sheet_is_lower() -> None:
    with_picture, without = (
        errors_figure([ErrorRow("dog", [sample(picture)], [])]) for picture in (PICTURE, None)
    )
    assert without.get_figheight() < with_picture.get_figheight()
    assert len(without.axes[0].images) == 0


def test_parts_and_words_are_coloured_by_one_scale() -> None:
    heat = np.array([[2.0, 0.0], [-1.0, 0.0]])
    words = Words("a dog $5$", [(2, 5), (6, 9)], np.array([1.0, -0.5]))
    figure = attributions_figure("x", PICTURE, [LabelRow("dog 0.9", heat, [words], {"text": 1.5})])
    figure.draw_without_rendering()
    cover = np.asarray(figure.axes[0].images[1].get_array())
    assert cover[..., 3].tolist() == [[STRONGEST, 0], [STRONGEST / 2, 0]]
    boxes = {
        text.get_text(): text.get_bbox_patch().get_facecolor()  # type: ignore[union-attr]
        for text in figure.axes[0].texts
        if text.get_bbox_patch() is not None
    }
    assert boxes["dog"][3] == STRONGEST / 2
    assert boxes["$5$"][3] == STRONGEST / 4
    assert boxes["dog"][:3] != boxes["$5$"][:3]
    assert "text +1.50" in words_of(figure)


def test_a_long_caption_is_broken_into_lines_and_cut() -> None:
    caption = "word " * 200
    spans = [(5 * i, 5 * i + 4) for i in range(200)]
    row = LabelRow("dog", None, [Words(caption, spans, np.zeros(200))], {})
    figure = attributions_figure("x", None, [row])
    figure.draw_without_rendering()
    shown = [text for text in figure.axes[0].texts if text.get_text() == "word"]
    assert 50 < len(shown) < 100
    assert len({text.get_position()[1] for text in shown}) > 3
    right = max(text.get_window_extent().x1 for text in shown)
    assert right <= figure.get_figwidth() * figure.dpi
    assert "…" in words_of(figure)
