from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmclf.pipeline.explain.occlusion import (
    CELLS,
    WINDOW,
    heat_of,
    term_words,
    windows,
    without_parts,
    without_words,
    word_spans,
)


def test_each_window_is_painted_and_nothing_else() -> None:
    picture = np.zeros((2 * CELLS, CELLS, 3), dtype=np.uint8)
    parts = [*without_parts(picture, np.array([7, 8, 9], dtype=np.uint8))]
    assert len(parts) == len(windows()) == (CELLS - WINDOW + 1) ** 2
    for (row, column), part in zip(windows(), parts, strict=True):
        expected = picture.copy()
        expected[2 * row : 2 * (row + WINDOW), column : column + WINDOW] = (7, 8, 9)
        assert np.array_equal(part, expected)
    assert not picture.any()


def test_every_cell_of_a_picture_of_any_size_is_painted() -> None:
    picture = np.zeros((17, 31, 3), dtype=np.uint8)
    painted = sum(part.astype(int) for part in without_parts(picture, np.ones(3, dtype=np.uint8)))
    assert np.asarray(painted).min() > 0


def test_the_heat_of_a_cell_is_the_mean_of_the_windows_that_hold_it() -> None:
    drops = np.zeros((len(windows()), 2))
    drops[:, 0] = 3.0
    drops[0, 1] = 9.0  # that of the upper left corner
    heat = heat_of(drops)
    assert np.allclose(heat[0], 3.0)
    assert heat[1, 0, 0] == 9.0
    assert heat[1, 1, 1] == 9.0 / 4
    assert heat[1, WINDOW, 0] == 0


@given(st.lists(st.text("ab.,é", min_size=1), max_size=5))
def test_words_are_what_blanks_divide(words: list[str]) -> None:
    caption = " ".join(words)
    assert [caption[start:end] for start, end in word_spans(caption)] == words
    left = without_words(caption)
    assert left == [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]


def test_terms_are_found_with_their_words_each_time() -> None:
    vocabulary = {"dog": 0, "big dog": 1, "cat": 2, "house": 3}
    caption = "A Big dog, a dog and a cat"
    spans, terms = term_words(caption, vocabulary)
    assert [caption[start:end] for start, end in spans] == ["Big", "dog", "dog", "cat"]
    assert terms == {0: [1, 2], 1: [0, 1], 2: [3]}


def test_a_caption_without_terms_has_none() -> None:
    assert term_words("a b", {"dog": 0}) == ([], {})
    assert term_words("dog", {}) == ([], {})
