"""Whatever a command line or a config file says, the answer is a configuration or what is wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_lines import HERE
from hostile_count import Attempts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_words import KEYS, VALUES

from mmclf.config.compose import check_command
from mmclf.errors import InputError

pytestmark = pytest.mark.hostile("configurations", fuzz=True)

FAST, SOAK = 4, 2_000  # examples of each test
WORDS = st.sampled_from(VALUES) | st.text(max_size=6)
LINES = st.builds(
    lambda sign, key, equals, words: f"{sign}{key}{equals}{''.join(words)}",
    st.sampled_from(("", "+", "++", "~")),
    st.sampled_from(KEYS) | st.text(max_size=6),
    st.sampled_from(("=", "=", "=", "")),
    st.lists(WORDS, max_size=3),
)
TREES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | WORDS | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
FILES = st.dictionaries(st.sampled_from(KEYS), TREES, max_size=4).map(
    lambda tree: yaml.safe_dump(tree, allow_unicode=True)
) | st.lists(WORDS | st.sampled_from((": ", "- ", "\n", "&a ", "*a", "<<: ", "# x"))).map("".join)

Fuzz = Callable[[st.SearchStrategy[Any], Callable[[Any], None]], None]


@pytest.fixture
def fuzz(request: pytest.FixtureRequest, attempts: Attempts) -> Fuzz:
    """Tries a function on what a strategy draws, more often where there is time."""
    count = SOAK if request.config.getoption("--soak") else FAST

    def tried(strategy: st.SearchStrategy[Any], on: Callable[[Any], None]) -> None:
        checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

        def one(drawn: Any) -> None:
            with attempts.counted():
                on(drawn)

        settings(max_examples=count, suppress_health_check=checks)(given(strategy)(one))()

    return tried


def answered(lines: list[str], folder: Path | None = None, *, multirun: bool = False) -> None:
    with suppress(InputError):
        check_command([*HERE, *lines], folder, multirun=multirun)


@pytest.mark.parametrize("multirun", [False, True])
def test_any_override_is_answered(fuzz: Fuzz, multirun: bool) -> None:
    fuzz(st.lists(LINES, min_size=1, max_size=3), lambda lines: answered(lines, multirun=multirun))


def test_any_config_file_is_answered(fuzz: Fuzz) -> None:
    def tried(text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            group = Path(folder, "experiment")
            group.mkdir()
            (group / "any.yaml").write_text(text)
            answered(["experiment=any"], Path(folder))
            answered(["experiment=any"], Path(folder), multirun=True)

    headers = st.sampled_from(("# @package _global_\n", "# @package _global_\n", ""))
    fuzz(st.builds(lambda header, text: header + text, headers, FILES), tried)


def test_any_primary_config_is_answered(fuzz: Fuzz) -> None:
    def tried(text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "own.yaml").write_text(text)
            with suppress(InputError):
                check_command(HERE, Path(folder), "own")

    fuzz(FILES, tried)


@pytest.mark.parametrize("multirun", [False, True])
def test_a_search_path_that_is_none_is_answered(multirun: bool) -> None:
    answered(["hydra.searchpath=1[1,2]", "seed=1"], multirun=multirun)
