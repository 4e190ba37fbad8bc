"""Publish studies: from the tracked runs of an output folder to a folder each beside this file.

    python experiments/publish.py OUTPUT_DIR NAME=STUDY ...

Writes NAME/README.md, its tables and figures; `NAME/reading.md`, written by hand, says in words
what was found and what was not. Nothing of the data is copied.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.method import base_settings, data_words
from mmclf.studies.report.page.plot import Plot
from mmclf.studies.report.publish import publish
from mmclf.studies.report.result.collect import collect, latest_parent
from mmclf.studies.report.result.read_details import part_sizes
from mmclf.studies.report.result.study_result import StudyResult, distinct
from mmclf.studies.report.tables.rendering import render
from mmclf.studies.report.tables.study_tables import FORMATS, in_form, tables
from mmclf.studies.report.words.answer import answer
from mmclf.studies.report.words.markdown import as_text, bulleted
from mmclf.studies.report.words.method_words import method_paragraph

HERE = Path(__file__).resolve().parent
KEPT = ("results.csv", "effects.csv", "runs.csv")
FIGURES = ("differences", "waterfall", "cost", "label-scores", "threshold-curves")
# Places say nothing to a reader, and differ from machine to machine.
PLACES = re.compile(r"(?<=\s)(output_dir|tracking\.uri|store\.dir)=\S+\s?")
ROOTS = re.compile(r"(data\.root|--config-dir)([= ])\S+")


def main(output: Path, wanted: list[str]) -> None:
    """Publish each of the wanted studies, given as NAME=STUDY or STUDY."""
    tracker = Tracker(f"sqlite:///{output}/mlflow.db", "mmclf", output, create=False)
    for word in wanted:
        name, _, study = word.partition("=")
        parent = latest_parent(tracker, study or name)
        if parent is None:
            raise SystemExit(f"{output} holds no study {study or name!r}")
        result = collect(tracker, parent)
        folder = HERE / name
        made = output / "studies" / (study or name)
        plots = [plot for plot in publish(tracker, result, made) if plot.key in FIGURES]
        _copy(made, folder)
        runs = result.baseline.runs
        sizes = part_sizes(runs[0]) if runs else {}
        text = _readme(result, folder, sizes, plots)
        (folder / "README.md").write_text(text, encoding="utf-8")
        print(f"{name}: {folder}")


def _copy(made: Path, folder: Path) -> None:
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        if (made / name).is_file():
            shutil.copyfile(made / name, folder / name)
    for name in FIGURES:
        source = made / "figures" / f"{name}.svg"
        if source.is_file():
            shutil.copyfile(source, folder / "figures" / source.name)


def _readme(
    result: StudyResult, folder: Path, sizes: Mapping[str, int], plots: Sequence[Plot]
) -> str:
    definition = result.definition
    answered = answer(result)
    shown = {name: in_form(of, "md", definition.unit) for name, of in tables(result).items()}
    results = render(shown["results"].drop(columns=["Runs"]), "md", FORMATS)
    parts = [f"# {definition.question}", as_text(answered.headline)]
    parts += [bulleted(answered.bullets)] if answered.bullets else []
    parts += [f"Note: {note}." for note in result.notes]
    reading = folder / "reading.md"
    if reading.is_file():
        parts.append(reading.read_text(encoding="utf-8").strip())
    if "effects" in shown:
        parts += ["## Effects", render(shown["effects"], "md", FORMATS).strip()]
    parts += ["## Arms", results.strip(), _columns(result)]
    by_key = {plot.key: plot for plot in plots}
    for key in (key for key in FIGURES if key in by_key):
        parts.append(f"![{as_text(by_key[key].alt)}](figures/{key}.svg)")
    command = ROOTS.sub(r"\1\2DIR", PLACES.sub("", definition.command + " ")).strip()
    parts += ["## Command", f"```sh\n{command}\n```", "## Method"]
    parts += [as_text(method_paragraph(result)), "## Data, hardware and versions"]
    parts.append(_made(result, sizes))
    return "\n\n".join(parts) + "\n"


def _columns(result: StudyResult) -> str:
    return (
        f"`{result.definition.metric}` is the mean over n seeds, SD its standard deviation "
        "between them, CI its interval; differences are to the baseline, paired by seed and "
        "sample, with the interval that holds for all of them at once. `F1 at 0.5` and `F1 fitted` "
        "are of the same kind at 0.5 and at one threshold fitted on val. The running time is that "
        "with an empty store. `results.csv` has further intervals, `runs.csv` every run's tracked "
        "metrics."
    )


def _made(result: StudyResult, sizes: Mapping[str, int]) -> str:
    runs = [run for arm in result.arms for run in arm.runs]
    wall = sum(run.metrics.get("time/wall_s", 0.0) for run in runs)
    facts = [
        f"{len(runs)} runs, {_hours(wall)} of wall time together: what is shared is computed once, "
        "and what was stored already is not in it.",
        f"Seeds {', '.join(map(str, result.definition.seeds))}.",
        f"Data: {data_words(sizes)}digest {result.definition.data[:12]}.",
        f"Base: `{base_settings(result) or 'not tracked'}`.",
    ]
    for tag, name in (
        ("mmclf.cold_hardware", "Hardware"),
        ("mmclf.versions", "Versions"),
        ("mmclf.commit", "Commit"),
    ):
        facts.append(f"{name}: {'; '.join(sorted(distinct(runs, tag)))}.")
    return " ".join(facts)


def _hours(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
