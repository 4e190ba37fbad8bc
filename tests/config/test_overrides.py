"""What an override says: the name that a wrong letter hides, and the modules that it allows."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from command_lines import LEVELS
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mmclf.config.composed import dotted_keys
from mmclf.config.composer import open_composer
from mmclf.config.overrides import Groups, check_level, read, unknown_key

GROUPS = sorted({level.partition("=")[0] for level in LEVELS})
KEYS = ("trainer.epochs", "trainer.batch_size", "head.hidden", "encode.workers", "text.min_df")


def _edits(word: str) -> st.SearchStrategy[str]:
    letters = st.sampled_from("abcdefghijklmnopqrstuvwxyz_")
    position = st.integers(0, len(word) - 1)
    return st.one_of(
        st.builds(lambda i, c: word[:i] + c + word[i + 1 :], position, letters),
        st.builds(lambda i: word[:i] + word[i + 1 :], position),
        st.builds(lambda i, c: word[:i] + c + word[i:], position, letters),
    )


@functools.cache
def at_hand() -> tuple[Groups, list[str]]:
    """The groups, and every key of the bare config."""
    with open_composer([]) as composer:
        cfg = OmegaConf.to_container(composer.compose([]), resolve=False)
        return composer.groups, list(dotted_keys(cfg))


def answer(line: str) -> str | None:
    """What is found about one override, beside the bare config; None if it is fine."""
    override, unreadable = read(line)
    if override is None:
        return unreadable
    problem, _ = check_level(override, at_hand()[0])
    return problem or unknown_key(override, at_hand()[1], lambda _part: [])


def edits_of(words: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    return st.sampled_from(words).flatmap(lambda word: st.tuples(st.just(word), _edits(word)))


@settings(max_examples=60)
@given(edits_of(GROUPS))
def test_a_letter_wrong_in_a_group_names_the_group(pair: tuple[str, str]) -> None:
    word, typed = pair
    assume(typed not in GROUPS)
    assert word in str(answer(f"{typed}=none"))


@settings(max_examples=60)
@given(st.sampled_from(LEVELS).flatmap(lambda line: st.tuples(st.just(line), _edits(line[-5:]))))
def test_a_letter_wrong_in_a_level_names_the_level(pair: tuple[str, str]) -> None:
    line, end = pair
    group, _, level = line.partition("=")
    typed = f"{line[:-5]}{end}"
    assume(typed not in LEVELS and typed.startswith(f"{group}="))
    assert level in str(answer(typed))


@settings(max_examples=60)
@given(edits_of(KEYS))
def test_a_letter_wrong_in_a_key_names_the_key(pair: tuple[str, str]) -> None:
    word, typed = pair
    assume(typed not in at_hand()[1] and "." in typed.strip("."))
    assume(not typed.startswith(".") and not typed.endswith("."))
    assert word in str(answer(f"{typed}=1"))
