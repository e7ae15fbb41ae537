"""Reports: what is said and shown of a run, of several side by side, of a sweep, of a history from elsewhere.

A report is a page and the files that go with it, made of the run alone: the same run, the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

import queuestream
from queuestream.lab.actors.load import lane_of
from queuestream.lab.metrics import measure
from queuestream.lab.report import page, sweep_plots, tables
from queuestream.lab.report.deliveries import flows_of
from queuestream.lab.report.pictures import Picture, beside, file_name, pictures_of
from queuestream.lab.report.side_by_side import COLUMNS_MAX, TITLES, Column
from queuestream.lab.scenarios.knobs import shown
from queuestream.lab.scenarios.seen import as_meant, by_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from queuestream.lab.checkers import Verdict
    from queuestream.lab.history import History
    from queuestream.lab.metrics import Measures, ScopeKind
    from queuestream.lab.report.deliveries import Flow
    from queuestream.lab.report.style import Format
    from queuestream.lab.running import Run
    from queuestream.lab.sweeps import Sweep

_ANOMALIES_MAX = 12


@attrs.frozen(kw_only=True)
class Report:
    """What a folder is filled with.

    Attributes:
        title: Of the page.
        body: The page's pieces, HTML and pictures, from top to bottom.
        texts: Other files: name and content.
    """

    title: str
    body: Sequence[str | Picture]
    texts: Mapping[str, str]

    @property
    def pictures(self) -> list[Picture]:
        """Those of the page; the folder has a file of each."""
        return [piece for piece in self.body if isinstance(piece, Picture)]

    def write(
        self, folder: Path, picture_format: Format, progress: Callable[[], object] = lambda: None
    ) -> None:
        """Fill a folder, which is made where it is missing.

        Args:
            folder: Its files of the same names are overwritten.
            picture_format: Of the pictures' files; the page has them as SVG.
            progress: Called after each picture.

        Raises:
            PictureNeedsMatplotlib: It is not installed.
            OSError: The folder cannot be written to.
        """
        pieces = []
        files = {name: text.encode() for name, text in self.texts.items()}
        for piece in self.body:
            if isinstance(piece, str):
                pieces.append(piece)
                continue
            drawn = piece.to_files(("svg", picture_format))
            pieces.append(page.figure(piece, drawn["svg"].decode()))
            files[f"{piece.name}.{picture_format}"] = drawn[picture_format]
            progress()
        files["report.html"] = page.page(self.title, pieces).encode()
        for name, content in files.items():  # only now, as nothing is to be there where nothing can be drawn
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def of_run(run: Run) -> Report:
    """What one run was and what it has shown."""
    return Report(
        title=f"{run.name}, seed {run.seed}",
        body=[
            page.heading(run.name, 1),
            page.paragraph(run.scenario.teaches()),
            *_result(run.verdict),
            page.items(run.findings),
            page.heading("To look at"),
            *_as_sent(run),
            page.BEGIN_FIGURES,
            *pictures_of(_drawn(run)),
            page.END_FIGURES,
            page.heading("To read"),
            page.table(tables.measures_table(run.measures)),
            *([page.table(tables.own_figures_table(own))] if (own := run.scenario.figures(run)) else []),
            page.table(tables.verdict_table(run.verdict)),
            *_anomalies(run.verdict),
            page.heading("To repeat"),
            page.code(f"{run.command} --out report"),
            page.table(tables.settings_table(run.scenario)),
            _foot(
                f"Seed {run.seed}; {run.virtual_seconds:,.1f} virtual seconds; {len(run.history):,} events."
            ),
        ],
        texts=_texts_of(run),
    )


def of_comparison(runs: Sequence[Run], command: str) -> Report:
    """Several runs side by side, and each by itself.

    Args:
        runs: At least two.
        command: What repeats all of them.
    """
    titles = titles_of(runs)
    name = ", ".join(titles)
    if len({run.name for run in runs}) == 1:
        name = f"{runs[0].name}: {name}"
    columns = [Column(title, flow) for title, run in titles.items() if (flow := largest_flow(_drawn(run)))]
    body: list[str | Picture] = [
        page.heading(name, 1),
        page.paragraph("Side by side, under the same seed."),
        *(_as_sent(runs[0]) if all(map(_is_about_what_was_meant, runs)) else []),
        *(beside(columns[:COLUMNS_MAX]) if len(columns) > 1 else []),
        page.heading("To read"),
        page.table(tables.figures_table(titles)),
    ]
    texts = {"compare.json": comparison_json(runs)}
    for title, run in titles.items():
        folder = file_name(title.lower().replace(", ", "-"))
        body += [
            page.heading(title),
            page.paragraph(run.scenario.teaches()),
            *_result(run.verdict),
            page.items(run.findings),
            page.begin_details("Pictures, verdict and settings"),
            page.BEGIN_FIGURES,
            *(attrs.evolve(picture, name=f"{folder}/{picture.name}") for picture in pictures_of(_drawn(run))),
            page.END_FIGURES,
            page.table(tables.verdict_table(run.verdict)),
            *_anomalies(run.verdict),
            page.table(tables.settings_table(run.scenario)),
            page.code(run.command),
            page.END_DETAILS,
        ]
        texts |= {f"{folder}/{name}": text for name, text in _texts_of(run).items()}
    body += [page.heading("To repeat"), page.code(f"{command} --out report"), _foot(f"Seed {runs[0].seed}.")]
    return Report(title=name, body=body, texts=texts)


def of_sweep(swept: Sweep, command: str, names: Sequence[str]) -> Report:
    """A knob over its range, and some figures over it."""
    title = f"{swept.scenario}, by {swept.parameter}"
    settings = tables.Table(
        "The other settings",
        [("knob", False), ("value", False)],
        [[name, shown(value)] for name, value in swept.settings.items()],
    )
    picture = Picture(
        "sweep",
        f"Each figure's mean over {len(swept.seeds)} seeds, and the interval that has the true mean "
        "with 95 % confidence.",
        lambda: sweep_plots.sweep(swept, names),
    )
    return Report(
        title=title,
        body=[
            page.heading(title, 1),
            page.BEGIN_FIGURES,
            picture,
            page.END_FIGURES,
            page.table(tables.sweep_table(swept, names)),
            page.heading("To repeat"),
            page.code(f"{command} --out report"),
            page.table(settings),
            _foot(f"Seeds {swept.seeds[0]} to {swept.seeds[-1]}."),
        ],
        texts={"sweep.json": swept.to_json()},
    )


def of_history(
    title: str, command: str, history: History, verdict: Verdict, measures: Mapping[str, Measures]
) -> Report:
    """What a history from anywhere shows.

    Args:
        title: Where it is from.
        command: What repeats the verdict.
        history: The events.
        verdict: Whether they keep what was promised.
        measures: How much was out of order, by scope.
    """
    return Report(
        title=title,
        body=[
            page.heading(title, 1),
            *_result(verdict),
            page.table(tables.verdict_table(verdict)),
            *_anomalies(verdict),
            page.table(tables.measures_table(measures)),
            page.heading("To look at"),
            page.BEGIN_FIGURES,
            *pictures_of(history),
            page.END_FIGURES,
            page.heading("To repeat"),
            page.code(f"{command} --out report"),
            _foot(f"{len(history):,} events."),
        ],
        texts={"verdict.json": to_json(verdict_document(verdict, measures))},
    )


def titles_of(runs: Sequence[Run]) -> dict[str, Run]:
    """What each run is called beside the others: its scenario, and the settings that make it another one."""
    titled: dict[str, Run] = {}
    for run in runs:
        others = [other.settings for other in runs if other.name == run.name and other is not run]
        apart = [
            f"{name}={shown(value)}"
            for name, value in run.settings.items()
            if any(other[name] != value for other in others)
        ]
        name = run.name if apart else TITLES.get(run.name, run.name)
        title = ", ".join(apart if apart and len(others) == len(runs) - 1 else [name, *apart])
        titled[title if title not in titled else f"{title} ({len(titled) + 1})"] = run
    return titled


def largest_flow(history: History) -> Flow | None:
    """The flow with the most deliveries; None where nothing was delivered."""
    return max(flows_of(history), key=lambda flow: len(flow.deliveries), default=None)


def comparison_json(runs: Sequence[Run]) -> str:
    """Several runs as text; the same runs give the same bytes."""
    return to_json({"runs": [run.as_dict() for run in runs]})


def measures_of(history: History) -> dict[str, Measures]:
    """How much was out of order over all, and within whatever the events name: groups, shards, keys."""
    scopes: list[ScopeKind] = ["global"]
    if len({event.resource for event in history}) > 1:
        scopes.append("resource")
    named: tuple[ScopeKind, ...] = ("group", "partition_key", "shard")
    scopes += [scope for scope in named if any(getattr(event, scope) is not None for event in history)]
    measures: dict[str, Measures] = {scope: measure(history, scope=scope) for scope in scopes}
    if scopes == ["global"] and any(lane_of(event.message or "") for event in history):
        measures["key"] = measure(by_key(history), scope="group")
    return measures


def verdict_document(verdict: Verdict, measures: Mapping[str, Measures]) -> dict[str, Any]:
    """A verdict and how much was out of order, ready for JSON."""
    return {
        "verdict": verdict.as_dict(),
        "measures": {scope: found.as_dict() for scope, found in measures.items()},
    }


def to_json(document: dict[str, Any]) -> str:
    """As text, for people, too."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _is_about_what_was_meant(run: Run) -> bool:
    return "key_meant" in run.scenario.scopes


def _drawn(run: Run) -> History:
    """What pictures are drawn from: where a producer reorders, its order is the one that is looked for."""
    return as_meant(run.history) if _is_about_what_was_meant(run) else run.history


def _as_sent(run: Run) -> list[str]:
    said = "A message counts as sent when its producer first tried, whatever became of the attempt."
    return [page.paragraph(said)] if _is_about_what_was_meant(run) else []


def _result(verdict: Verdict) -> list[str]:
    kind = "verdict good" if verdict.valid else "verdict bad"
    return [page.paragraph(tables.verdict_sentence(verdict), kind)]


def _anomalies(verdict: Verdict) -> list[str]:
    """Examples of what was found, violations first."""
    if not verdict.anomalies:
        return []
    ranked = sorted(verdict.anomalies, key=lambda anomaly: not anomaly.violates)
    examples = [str(anomaly) for anomaly in ranked[:_ANOMALIES_MAX]]
    return [page.paragraph("Examples of what was found:"), page.items(examples)]


def _texts_of(run: Run) -> dict[str, str]:
    texts = {"run.json": run.to_json(), "history.jsonl": run.history.to_json_lines()}
    if run.trace:
        texts["trace.txt"] = "".join(f"{entry}\n" for entry in run.trace)
    return texts


def _foot(text: str) -> str:
    return page.paragraph(f"{text} queuestream {queuestream.__version__}.", "muted")
