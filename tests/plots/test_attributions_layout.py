"""The picture of an explanation is as wide as what stands in it."""

from __future__ import annotations

import numpy as np
import pytest

from mmclf.plots.attributions import LabelRow, Words, attributions_figure, change

PICTURE = np.zeros((8, 8, 3), dtype=np.uint8)
CAPTION = Words("a dog", [(0, 1), (2, 5)], np.array([0.1, -0.2]))


def texts(captions: int) -> list[str]:
    row = LabelRow("dog  0.5", np.zeros((2, 2)), [CAPTION] * captions, {"text": 0.1})
    figure = attributions_figure("0.jpg", PICTURE, [row])
    return [text.get_text() for text in figure.axes[0].texts]


def test_without_captions_there_is_no_room_for_them() -> None:
    row = LabelRow("dog  0.5", np.zeros((2, 2)), [], {"vision": 1.5})
    narrow = attributions_figure("0.jpg", PICTURE, [row])
    wide = attributions_figure(
        "0.jpg", PICTURE, [LabelRow("dog", np.zeros((2, 2)), [CAPTION], {"vision": 1.5})]
    )
    assert narrow.get_figwidth() < 0.75 * wide.get_figwidth()


def test_nothing_is_written_beyond_the_edge() -> None:
    row = LabelRow("dog  0.5", np.zeros((2, 2)), [], {"vision": 1.5})
    figure = attributions_figure("a very long title " * 9, PICTURE, [row])
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for text in figure.axes[0].texts:
        assert text.get_window_extent(renderer).x1 <= figure.get_figwidth() * figure.dpi


@pytest.mark.parametrize(("captions", "numbers"), [(1, []), (3, ["1", "2", "3"])])
def test_several_captions_are_numbered(captions: int, numbers: list[str]) -> None:
    found = texts(captions)
    assert [text for text in found if text.isdecimal()] == numbers
    assert found.count("dog") == captions


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0.00"), (-0.004, "0.00"), (0.006, "+0.01"), (-1.5, "-1.50")]
)
def test_what_rounds_to_nothing_has_no_sign(value: float, shown: str) -> None:
    assert change(value) == shown
