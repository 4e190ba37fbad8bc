"""A study's page in a browser."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from made_up import CHANGES, details, page_of, result

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 120_000  # with a machine that does other work
LONG = "vision=efficientnet_lite0_with_a_name_without_an_end<&>, text=minilm" * 3
Scheme = Literal["light", "dark"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a study with much in it, and an odd name."""
    study = result(
        "ladder",
        {**CHANGES, LONG: ["before", "after"]},
        failed={("improved", 1): "RuntimeError: " + "out of memory " * 20},
        question="What does each change add? " + LONG,
        notes=["the runs are of different commits: 8b2c51c; 763bb52", LONG],
    )
    values = tmp_path_factory.mktemp("page") / "report.html"
    values.write_text(page_of(study, details(study)), encoding="utf-8")
    return values


def opened(browser: Browser, path: Path, width: int, scheme: Scheme = "light") -> Page:
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab.goto(path.as_uri(), timeout=PATIENCE_MS)
    return tab


def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, path: Path) -> None:
    tab = browser.new_page()
    asked: list[str] = []
    errors: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: errors.append(message.text))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(path.as_uri(), wait_until="networkidle", timeout=PATIENCE_MS)
    tab.click("summary >> nth=0")
    assert [url for url in asked if not url.startswith("data:image/")] == [path.as_uri()]
    assert errors == []


@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_the_page_itself_never_scrolls_sideways(browser: Browser, path: Path, width: int) -> None:
    tab = opened(browser, path, width)
    tab.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_letters_can_be_read_on_a_phone(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 360)
    # The smallest letters are of 9 points, which are 12 of an image's own pixels.
    scale = "all => all.map(one => 12 * (one.width - 16) / one.naturalWidth)"
    heights = tab.eval_on_selector_all("figure img", scale)
    assert min(heights) >= 9


def test_a_chart_is_as_wide_as_a_phone(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 360)
    widths = tab.eval_on_selector_all("figure img", "all => all.map(one => one.width)")
    assert len(widths) == 7
    assert all(300 <= width <= 360 for width in widths)
    # None scrolls by itself.
    assert tab.locator("figure .scroll").count() == 0


def test_the_first_column_stays_while_a_table_scrolls(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 360)
    tab.eval_on_selector("#arms-table", "one => { one.scrollLeft = 200 }")
    left = "one => one.getBoundingClientRect().left"
    frame = tab.eval_on_selector("#arms-table", left)
    for cell in ("thead tr:last-child > :first-child", "tbody th"):
        assert tab.eval_on_selector(f"#arms-table {cell}", left) == frame
    assert tab.eval_on_selector("#arms-table tbody td", left) < frame


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_both_schemes_have_letters_that_stand_out(
    browser: Browser, path: Path, scheme: Scheme, is_dark: bool
) -> None:
    tab = opened(browser, path, 1200, scheme)
    paper = luminance(tab, "body", "background-color")
    assert (paper < 0.1) == is_dark
    for selector in ("body", "caption", "figcaption", "thead th", "a", ".notes h2", "dt"):
        assert contrast(paper, luminance(tab, selector, "color")) >= 4.5, selector
    assert luminance(tab, "figure img", "background-color") > 0.9


def luminance(tab: Page, selector: str, style: str) -> float:
    """The relative luminance of a colour of an element, as WCAG defines it."""
    colour = tab.locator(selector).first.evaluate(f"one => getComputedStyle(one)['{style}']")
    channels = [int(one) / 255 for one in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: float, second: float) -> float:
    low, high = sorted((first, second))
    return (high + 0.05) / (low + 0.05)


def test_everything_has_a_name_for_who_cannot_see_it(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 1200)
    images = tab.get_by_role("img")
    assert images.count() == tab.locator("img").count() == 7
    loaded = "all => all.every(one => one.complete && one.naturalWidth > 0)"
    assert tab.eval_on_selector_all("img", loaded)
    for name in ("What each change adds", "F1 of each label", "The split"):
        assert tab.get_by_role("img", name=name).count() == 1
    tab.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    assert tab.get_by_role("table").count() == tab.locator("caption").count() == 5
    regions = tab.get_by_role("region")
    assert regions.count() == tab.locator(".scroll").count()


def test_tables_scroll_by_keyboard(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 360)
    table = tab.locator("#arms-table")
    table.focus()
    tab.keyboard.press("ArrowRight")
    # Not wait_for_function: what it looks again with is an eval, which the page forbids.
    until = time.monotonic() + 120
    while table.evaluate("one => one.scrollLeft") == 0 and time.monotonic() < until:
        tab.wait_for_timeout(20)
    assert table.evaluate("one => one.scrollLeft") > 0


def test_print_is_black_on_white_with_everything_open(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 1200, "dark")
    tab.emulate_media(media="print", color_scheme="dark")
    assert luminance(tab, "body", "background-color") > 0.99
    assert luminance(tab, "body", "color") < 0.01
    box = tab.locator("#runs-table table").bounding_box()
    assert box is not None
    assert box["height"] > 100
    assert tab.pdf().startswith(b"%PDF")


def test_in_print_no_figure_is_as_high_as_half_a_page(browser: Browser, path: Path) -> None:
    tab = opened(browser, path, 700)
    tab.emulate_media(media="print")
    heights = tab.eval_on_selector_all("figure", "all => all.map(one => one.offsetHeight)")
    assert len(heights) == 7
    # A page of A4 without its margins is 269 mm high, at 96 dots an inch.
    assert max(heights) < 269 / 25.4 * 96 / 2
