"""A study's findings out of made-up tracked runs: pairing, correction, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from mmclf.errors import InputError
from mmclf.evaluation.metrics import set_scores
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.design_kinds import Arm, Effect
from mmclf.studies.report.collect import collect
from mmclf.studies.report.common_samples import Decided, on_common_samples
from mmclf.studies.report.compare import compare
from mmclf.studies.report.study_tables import arms_table, runs_table, verdict
from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics.estimates import holm

N, L = 60, 3
LACKING = 54  # of N samples: a tenth is missing
ARMS = ("a", "b", "c")


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)


def definition(seeds: tuple[int, ...], metric: str = "test/f1_samples") -> Definition:
    return Definition(
        name="made_up",
        question="Which?",
        design="grid",
        metric=metric,
        baseline="a",
        seeds=seeds,
        factors={"x": list(ARMS)},
        arms=tuple(Arm(name, {"x": name}, (f"x={name}",)) for name in ARMS),
        effects=tuple(Effect(name, {name: 1.0, "a": -1.0}) for name in ARMS[1:]),
        command="mmclf study=made_up",
        data="0" * 12,
    )


def start(tracker: Tracker, folder: Path, asked: Definition) -> TrackedRun:
    log = tracker.start("study: made_up", {"mmclf.study": "made_up"}, None)
    target = folder / "parent"
    target.mkdir()
    asked.write(target)
    log.artifacts(target)
    log.end("FINISHED")
    return tracker.get([log.id])[0]


def truth(count: int = N) -> NDArray[np.uint8]:
    return (np.random.default_rng(0).random((count, L)) < 0.4).astype(np.uint8)


def track(
    tracker: Tracker,
    folder: Path,
    parent: str | None,
    arm: str,
    seed: int,
    wrong: float,
    *,
    ids: int = N,
    tags: Mapping[str, str] | None = None,
    tracked: float | None = None,
) -> str:
    """A finished run whose predictions are wrong at a rate."""
    labels = truth(ids)
    chance = np.random.default_rng([seed, int(wrong * 1000)])
    flipped = chance.random(labels.shape) < wrong
    predicted = np.where(flipped, 1 - labels, labels).astype(np.uint8)
    logits = np.where(predicted == 1, 2.0, -2.0).astype(np.float32)
    target = folder / f"{arm}-{seed}-{wrong}"
    (target / "predictions").mkdir(parents=True)
    (target / "model").mkdir()
    for part in ("val", "test"):
        names = np.asarray([f"{part}{i}" for i in range(ids)])
        path = target / "predictions" / f"{part}.npz"
        np.savez(path, ids=names, logits=logits, labels=labels)
    told = {"thresholds": [0.5] * L, "empty": "none", "label_names": ["x", "y", "z"]}
    (target / "model" / "model.json").write_text(json.dumps(told))
    known = {"mmclf.arm": arm, "mmclf.seed": str(seed), "mmclf.hardware": "a machine"}
    log = tracker.start(f"{arm}, seed={seed}", known | dict(tags or {}), parent)
    scores = {f"test/{key}": value for key, value in set_scores(labels, predicted).items()}
    if tracked is not None:
        scores["test/f1_samples"] = tracked
    log.metrics(scores | {"test/map": 0.5, "time/cold_s": 3.0})
    log.artifacts(target)
    log.end("FINISHED")
    return log.id


def test_scores_and_differences_are_those_of_the_tracked_runs(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1, 2)))
    for seed in (0, 1, 2):
        for arm, wrong in (("a", 0.2), ("b", 0.02), ("c", 0.2)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    found = collect(tracker, parent)
    a, b, c = found.arms
    assert found.baseline is a
    assert found.best is b
    assert [len(arm.runs) for arm in found.arms] == [3, 3, 3]
    for one in found.arms:
        assert one.score is not None
        assert one.score.value == pytest.approx(one.mean("test/f1_samples"), abs=1e-12)
        assert one.score.seeds == 3
    assert a.difference is None
    assert b.difference is not None
    assert b.difference.is_shown
    assert b.difference.estimate.value == pytest.approx(
        b.mean("test/f1_samples") - a.mean("test/f1_samples")
    )
    # The same predictions, paired by seed and sample, differ by exactly nothing.
    assert c.difference is not None
    assert (c.difference.estimate.low, c.difference.estimate.high) == (0.0, 0.0)
    assert verdict(c.difference) == "no difference shown: the interval holds 0"
    assert verdict(b.difference) == "higher"
    assert found.notes == ()


def test_arms_are_compared_on_the_seeds_that_they_share(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0, 1, 2)))
    for arm, seed in (("a", 0), ("a", 1), ("b", 1), ("b", 2)):
        track(tracker, tmp_path, parent.id, arm, seed, 0.1 if arm == "a" else 0.2)
    failed = tracker.start("b, seed=0", {"mmclf.arm": "b", "mmclf.seed": "0"}, parent.id)
    failed.end("FAILED")
    found = collect(tracker, parent)
    a, b, c = found.arms
    assert (len(a.runs), a.missing, len(a.failed)) == (2, (2,), 0)
    assert (len(b.runs), b.missing, len(b.failed)) == (2, (), 1)
    assert (len(c.runs), c.missing, c.score, c.difference) == (0, (0, 1, 2), None, None)
    assert b.difference is not None
    assert b.difference.estimate.seeds == 1
    assert "5 of 9 runs have not finished" in found.notes[0]
    table = arms_table(found)
    assert list(table["Runs"]) == [
        "2 finished, 1 not run",
        "2 finished, 1 failed (seed 0)",
        "0 finished, 3 not run",
    ]


def test_a_run_that_failed_and_was_done_again_counts_once(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    tracker.start("a", {"mmclf.arm": "a", "mmclf.seed": "0"}, parent.id).end("FAILED")
    done = track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    tracker.start("a", {"mmclf.arm": "a", "mmclf.seed": "0"}, parent.id).end("KILLED")
    arm = collect(tracker, parent).arms[0]
    assert ([run.id for run in arm.runs], arm.failed, arm.missing) == ([done], (), ())


def test_one_seed_says_that_it_knows_the_test_set_alone(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    for arm, wrong in (("a", 0.3), ("b", 0.01), ("c", 0.25)):
        track(tracker, tmp_path, parent.id, arm, 0, wrong)
    found = collect(tracker, parent)
    assert "one seed alone" in found.notes[0]
    assert verdict(found.arms[1].difference) == "higher, for one seed"


def test_a_run_whose_artifacts_do_not_give_what_was_tracked_has_failed(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    run = track(tracker, tmp_path, parent.id, "b", 0, 0.1, tracked=0.99)
    found = collect(tracker, parent)
    first, second, _ = found.arms
    assert first.score is not None
    assert (second.score, [one.id for one in second.failed], second.runs) == (None, [run], ())
    assert "test/f1_samples is tracked as 0.99" in second.failed[0].tags["mmclf.error"]
    assert any(note.startswith(f"b (seed 0): run {run}: ") for note in found.notes)


def test_a_run_whose_artifacts_are_lost_stops_no_other(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    lost, kept = (track(tracker, tmp_path, parent.id, arm, 0, 0.1) for arm in "ab")
    shutil.rmtree(tmp_path / "artifacts" / lost)
    found = collect(tracker, parent)
    assert [one.id for one in found.arms[0].failed] == [lost]
    assert [one.id for one in found.arms[1].runs] == [kept]
    assert found.arms[1].difference is None


def test_artifacts_out_of_reach_are_no_lost_ones(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise MlflowException("the server does not answer")

    parent = start(tracker, tmp_path, definition((0,)))
    run = track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    fetch = tracker.client.download_artifacts
    monkeypatch.setattr(
        tracker.client,
        "download_artifacts",
        lambda of, *rest: fail() if of == run else fetch(of, *rest),
    )
    with pytest.raises(InputError, match="the server does not answer"):
        collect(tracker, parent)
    monkeypatch.setattr(tracker.client, "list_artifacts", fail)
    shutil.rmtree(tmp_path / "artifacts" / run)
    with pytest.raises(InputError, match="the server does not answer"):
        collect(tracker, parent)


def test_a_run_that_is_still_running_has_not_failed(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    tracker.start("b", {"mmclf.arm": "b", "mmclf.seed": "0"}, parent.id)
    arm = collect(tracker, parent).arms[1]
    assert (arm.failed, arm.missing) == ((), (0,))


def test_another_test_set_is_not_compared_but_said(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    track(tracker, tmp_path, parent.id, "b", 0, 0.1, ids=LACKING - 1)
    found = collect(tracker, parent)
    assert found.arms[0].score is not None
    assert (found.arms[1].score, found.arms[1].difference) == (None, None)
    assert any("their test set is another one" in note for note in found.notes)


def test_the_baseline_has_the_test_set_that_counts(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    for arm in "bc":
        track(tracker, tmp_path, parent.id, arm, 0, 0.1, ids=N // 2)
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    found = collect(tracker, parent)
    assert found.baseline.score is not None
    assert "not compared, as their test set is another one: b (seed 0), c (seed 0)" in found.notes


def test_runs_that_lack_few_samples_are_compared_on_those_they_share(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "b", 0, 0.1, ids=LACKING)
    track(tracker, tmp_path, parent.id, "a", 0, 0.3)
    found = collect(tracker, parent)
    assert found.arms[1].difference is not None
    whole = found.arms[1].score
    assert whole is not None
    assert whole.value == pytest.approx(found.arms[1].mean("test/f1_samples"))
    part = found.arms[0].score
    assert part is not None
    assert part.value != found.arms[0].mean("test/f1_samples")
    (note,) = [one for one in found.notes if "that all runs have" in one]
    assert f"of the {LACKING} test samples that all runs have; some runs have up to {N}" in note


def test_runs_together_may_lack_a_tenth_and_other_labels_take_nothing_away() -> None:
    ids = np.asarray([f"{place:02d}" for place in range(20)])
    labels = truth(20)

    def without(*lacking: int, turned: bool = False) -> Decided:
        kept = np.setdiff1d(np.arange(20), lacking)
        of = np.bitwise_xor(labels[kept], np.uint8(turned))
        return Decided(ids[kept], of, of)

    tested = {
        RunKey("whole", 0): without(),
        RunKey("other labels", 0): without(5, turned=True),
        RunKey("one", 0): without(0),
        RunKey("two", 0): without(1),
        RunKey("three", 0): without(2),
    }
    paired, notes = on_common_samples(tested, tested[RunKey("whole", 0)])
    assert [arm for arm, _ in paired] == ["whole", "one", "two"]
    assert all(np.array_equal(one.ids, ids[2:]) for one in paired.values())
    others = "other labels (seed 0), three (seed 0)"
    assert notes[0] == f"not compared, as their test set is another one: {others}"
    assert "of the 18 test samples that all runs have; some runs have up to 20" in notes[1]


def test_samples_are_paired_by_id_in_whatever_order(tracker: Tracker, tmp_path: Path) -> None:
    ids = np.asarray(["c", "a", "b"])
    labels = np.eye(3, dtype=np.uint8)
    turned = Decided(ids[::-1], labels[::-1], labels[::-1])
    paired, notes = on_common_samples(
        {RunKey("one", 0): Decided(ids, labels, labels), RunKey("other", 0): turned},
        Decided(ids, labels, labels),
    )
    assert notes == []
    assert np.array_equal(paired[RunKey("other", 0)].predicted, labels)
    assert np.array_equal(paired[RunKey("other", 0)].labels, paired[RunKey("one", 0)].labels)


def test_different_hardware_versions_and_data_are_said(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1, tags={"mmclf.hardware": "one"})
    track(tracker, tmp_path, parent.id, "b", 0, 0.1, tags={"mmclf.hardware": "other"})
    notes = collect(tracker, parent).notes
    assert "the runs are of different hardware: one; other" in notes


def test_groups_in_several_parts_are_said(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1, tags={"mmclf.shared_groups": "12"})
    track(tracker, tmp_path, parent.id, "b", 0, 0.1)
    assert sum(note.startswith("12 groups ") for note in collect(tracker, parent).notes) == 1


@pytest.mark.parametrize("kind", ["samples", "micro", "macro"])
def test_any_f1_can_decide(kind: str, tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0, 1), f"test/f1_{kind}"))
    for seed in (0, 1):
        track(tracker, tmp_path, parent.id, "a", seed, 0.1)
        track(tracker, tmp_path, parent.id, "b", seed, 0.2)
    found = collect(tracker, parent)
    score = found.arms[0].score
    assert score is not None
    assert score.value == pytest.approx(found.arms[0].mean(f"test/f1_{kind}"))


def test_the_table_of_runs_has_each_tracked_value(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    run = track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    table = runs_table(collect(tracker, parent))
    assert list(table["run_id"]) == [run]
    assert table["test/map"][0] == 0.5


def test_two_runs_are_compared_paired_by_sample(tracker: Tracker, tmp_path: Path) -> None:
    one = track(tracker, tmp_path, None, "a", 0, 0.3)
    other = track(tracker, tmp_path, None, "b", 0, 0.01)
    found = compare(tracker, *tracker.get([one, other]))
    assert not any("different seeds" in note for note in found.notes)
    assert [arm.runs[0].id for arm in found.arms] == [one, other]
    assert verdict(found.arms[1].difference) == "higher, for one seed"


def test_different_seeds_are_said_where_two_runs_are_compared(
    tracker: Tracker, tmp_path: Path
) -> None:
    one = track(tracker, tmp_path, None, "a", 2, 0.3)
    other = track(tracker, tmp_path, None, "b", 1, 0.01)
    found = compare(tracker, *tracker.get([one, other]))
    assert "different seeds, 2 and 1: part of the difference is theirs" in found.notes[0]
    assert found.definition.seeds == (2,)


def test_what_cannot_be_compared_is_refused(tracker: Tracker, tmp_path: Path) -> None:
    one = track(tracker, tmp_path, None, "a", 0, 0.3)
    short = track(tracker, tmp_path, None, "b", 0, 0.3, ids=N // 2)
    lost = track(tracker, tmp_path, None, "c", 0, 0.3)
    shutil.rmtree(tmp_path / "artifacts" / lost)
    parent = start(tracker, tmp_path, definition((0,)))
    with pytest.raises(InputError, match="have different test sets"):
        compare(tracker, *tracker.get([one, short]))
    with pytest.raises(InputError, match=f"the run {lost} .* has no artifact"):
        compare(tracker, *tracker.get([one, lost]))
    with pytest.raises(InputError, match="is given twice"):
        compare(tracker, *tracker.get([one, one]))
    with pytest.raises(InputError, match="expected a finished run that has trained a model"):
        compare(tracker, tracker.get([one])[0], parent)


@pytest.mark.slow
def test_sampled_orders_widen_the_interval_of_a_shapley_value(
    tracker: Tracker, tmp_path: Path
) -> None:
    weights = ({"a": -1.0, "b": 1.0}, {"a": -1.0, "c": 1.0})
    mean = {"a": -1.0, "b": 0.5, "c": 0.5}
    found = {}
    for name, draws in {"exact": (), "sampled": weights, "one": weights[:1]}.items():
        folder = tmp_path / name
        folder.mkdir()
        asked = replace(
            definition((0, 1)), design="attribution", effects=(Effect("x", mean, draws),)
        )
        parent = start(tracker, folder, asked)
        for seed in (0, 1):
            for arm, wrong in {"a": 0.3, "b": 0.25, "c": 0.05}.items():
                track(tracker, folder, parent.id, arm, seed, wrong)
        found[name] = collect(tracker, parent)
    exact, sampled, one = (of.effects[0].difference for of in found.values())
    assert exact is not None
    assert sampled is not None
    assert one is not None
    arms = {arm.name: arm.mean("test/f1_samples") for arm in found["exact"].arms}
    spread = np.var([arms["b"] - arms["a"], arms["c"] - arms["a"]], ddof=1) / 2
    variance = exact.estimate.standard_error**2 + spread
    assert sampled.estimate.standard_error**2 == pytest.approx(variance)
    assert one.estimate == exact.estimate
    orders = {
        name: [note for note in of.notes if "random order" in note] for name, of in found.items()
    }
    assert orders["exact"] == []
    assert (
        "2 random orders of the changes and the reverse; the intervals hold what"
        in orders["sampled"][0]
    )
    assert (
        "1 random order of the changes and the reverse; the intervals hold nothing"
        in orders["one"][0]
    )


def test_what_comes_to_nothing_is_no_effect(tracker: Tracker, tmp_path: Path) -> None:
    thirds = {"a": -1.0, "b": 1 / 3, "c": 2 / 3}
    asked = replace(definition((0, 1, 2)), effects=(Effect("x", thirds),))
    parent = start(tracker, tmp_path, asked)
    for seed, wrong in enumerate((0.1, 0.2, 0.3)):
        for arm in ARMS:
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    difference = collect(tracker, parent).effects[0].difference
    assert difference is not None
    assert (difference.estimate.low, difference.estimate.high, difference.p) == (0.0, 0.0, 1.0)


def test_the_whole_of_an_attribution_is_corrected_with_its_parts(
    tracker: Tracker, tmp_path: Path
) -> None:
    arms = tuple(Arm(name, {}, (f"x={name}",)) for name in ("default", "one", "two", "improved"))
    asked = replace(
        definition((0, 1, 2)),
        design="attribution",
        baseline="default",
        arms=arms,
        effects=(
            Effect("one", {"default": -0.5, "one": 0.5, "two": -0.5, "improved": 0.5}),
            Effect("two", {"default": -0.5, "one": -0.5, "two": 0.5, "improved": 0.5}),
        ),
    )
    parent = start(tracker, tmp_path, asked)
    rates = {"default": 0.3, "one": 0.25, "two": 0.22, "improved": 0.2}
    for seed in (0, 1, 2):
        for arm, wrong in rates.items():
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    found = collect(tracker, parent)
    whole = found.arms[-1].difference
    parts = [effect.difference for effect in found.effects]
    assert whole is not None
    known = [one for one in (*parts, whole) if one is not None]
    assert [one.p for one in known] == pytest.approx(holm([one.estimate.p for one in known]))
    assert sum(one.estimate.value for one in known[:2]) == pytest.approx(whole.estimate.value)
