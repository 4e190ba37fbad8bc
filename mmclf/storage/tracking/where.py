"""Conditions on tracked runs, as `test/f1_samples > 0.85 and loss = focal`, and the values in them.

They are read here and compared with what was fetched: MLflow's own filters know no quotes within
quotes, nor a metric by its plain name. Its names, as metrics.`test/loss`, are understood as well.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mmclf.errors import InputError, suggestion
from mmclf.storage.tracking.tracked_run import TrackedRun

Value = float | str
# Of two numbers, or of two texts.
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    "~": lambda text, part: part.casefold() in text.casefold(),
}
EXAMPLE = '"test/f1_samples > 0.85 and loss = focal"'
_QUOTED = r"\"[^\"]*\"|'[^']*'|`[^`]*`"
_TOKEN = re.compile(rf"\s*({_QUOTED}|>=|<=|!=|==|=|>|<|~|(?:(?!\s|[<>=!~]|{_QUOTED}).)+)")
_PREFIXES = ("metrics.", "params.", "tags.", "attributes.")


@dataclass(frozen=True)
class Condition:
    """A comparison of a run's value with another one."""

    key: str
    comparison: str
    value: str

    def holds(self, run: TrackedRun) -> bool:
        """Whether a run has the value, and it compares so; as numbers where both are."""
        own = value_of(run, self.key)
        if own is None:
            return False
        number = as_number(self.value)
        own_number = as_number(own)
        if number is not None and own_number is not None and self.comparison != "~":
            return COMPARISONS[self.comparison](own_number, number)
        return COMPARISONS[self.comparison](str(own), self.value)


def read_conditions(text: str) -> list[Condition]:
    """The conditions of a text, joined by `and`; raises InputError for another text."""
    tokens = [*_tokens(text)]
    if len(tokens) % 4 != 3:  # three for a condition, and a word between two
        raise _unreadable(text)
    conditions = []
    for start in range(0, len(tokens), 4):
        key, comparison, value = tokens[start : start + 3]
        joint = tokens[start + 3 : start + 4]
        if comparison not in COMPARISONS or (joint and joint[0].casefold() != "and"):
            raise _unreadable(text)
        conditions.append(Condition(_plain(key), comparison, _unquoted(value)))
    return conditions


def check_keys(keys: Collection[str], runs: Sequence[TrackedRun], option: str) -> None:
    """Raise InputError for keys that no run has."""
    known = {name for run in runs for name in names_of(run)}
    for key in keys:
        if runs and key not in known:
            raise InputError(f"{option}: no run has {key!r}: {_near(key, known)}")


def value_of(run: TrackedRun, key: str) -> Value | None:
    """A run's metric, attribute, parameter or tag of ours by its name; None without one."""
    value = _attributes(run).get(key)
    for values in (run.metrics, run.params):
        value = values.get(key, value)
    for name in (key, f"mmclf.{key}"):
        value = run.tags.get(name, value) if value is None else value
    return value


def names_of(run: TrackedRun) -> Iterator[str]:
    """Everything of a run that can be asked for."""
    yield from _attributes(run)
    yield from run.metrics
    yield from run.params
    yield from (tag.removeprefix("mmclf.") for tag in run.tags)


def as_number(value: Value) -> float | None:
    """A value as a number, if it is one."""
    try:
        return float(value)
    except ValueError:
        return None


def _attributes(run: TrackedRun) -> dict[str, Value | None]:
    started = datetime.fromtimestamp(run.started_ms / 1000).astimezone()
    return {
        "run_id": run.id,
        "name": run.name,
        "status": run.status,
        "started": started.strftime("%Y-%m-%d %H:%M:%S"),
        "parent": run.parent,
    }


def _tokens(text: str) -> Iterator[str]:
    position, rest = 0, text.rstrip()
    while position < len(rest):
        match = _TOKEN.match(rest, position)
        if match is None:
            raise _unreadable(text)
        token, position = match[1], match.end()
        # MLflow's metrics.`test/loss` is one name.
        if token in _PREFIXES and (more := _TOKEN.match(rest, position)) is not None:
            token, position = token + more[1], more.end()
        yield token


def _plain(key: str) -> str:
    """A name without quotes, and without the kind that MLflow's filters put before it."""
    prefix = next((prefix for prefix in _PREFIXES if key.startswith(prefix)), "")
    return _unquoted(key.removeprefix(prefix))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`" else text


def _unreadable(text: str) -> InputError:
    return InputError(
        f"--where {text!r} cannot be read: expected KEY OPERATOR VALUE, several with `and`, as "
        f"{EXAMPLE}; operators are {' '.join(COMPARISONS)} (~ for a part of a text)"
    )


def _near(key: str, known: Collection[str]) -> str:
    """The nearest of many names; all of them would be some hundred."""
    text = suggestion(key, known)
    nearest = text.partition(" valid: ")[0] if text.startswith("did you mean") else ""
    return nearest or "a run's page in MLflow lists its metrics and parameters"
