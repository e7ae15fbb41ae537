"""`python -m benchmarks`: measure, print, keep."""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import durable, imports, in_process, lab, lab_metrics, over_http, queues, report, streams
from benchmarks.harness import FULL, QUICK, SMOKE, Bench, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = queues.ROWS | streams.ROWS | imports.ROWS | durable.ROWS | in_process.ROWS | over_http.ROWS | lab.ROWS
ROWS |= lab_metrics.ROWS
_RESULTS = Path(__file__).with_name("results")

_EXAMPLES = """\
examples:
  python -m benchmarks --quick                   every row, a tenth of the backlogs, half a minute
  python -m benchmarks --only Q1,S3              two rows in full
  python -m benchmarks --save                    everything (two to three minutes, 3 GB), kept
  python -m benchmarks --quick --check           exit status 1 where a goal is missed
  python -m benchmarks --profile Q1              where the time of a row goes, function by function

reading the table:
  A ratio is what our work cost in relation to the floor, to a peer, or to ourselves under
  another load, in CPU time within one run, so it may be compared between machines; the
  costs beside it may not. "≤ 2" is a goal that is met below it, "≥ 4" one that is met above.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows that were asked for; the exit status."""
    options = _parser().parse_args(arguments)
    effort = SMOKE if options.smoke else QUICK if options.quick else FULL
    rows = options.only or list(ROWS)
    if options.profile is not None:
        return _profile(options.profile, options.smoke)

    bench = Bench(effort)
    findings: list[Finding] = []
    broken: list[str] = []
    print(report.heading())
    for row in rows:
        try:
            for finding in ROWS[row](bench):
                findings.append(finding)
                print(report.line(finding), flush=True)
        except Exception:  # noqa: BLE001 - the other rows are still worth having
            traceback.print_exc()
            broken.append(row)
        finally:
            gc.unfreeze()

    about = report.machine(effort)
    if options.json is not None:
        options.json.write_text(report.as_json(about, findings), encoding="utf-8")
    if options.save:
        _save(about, findings)
    missed = sum(finding.met is False for finding in findings)
    met = sum(finding.met is True for finding in findings)
    print(f"\n{met} goals met, {missed} missed" + (f"; not measured: {', '.join(broken)}" if broken else ""))
    return 1 if broken or (options.check and missed) else 0


def _parser() -> argparse.ArgumentParser:
    about = ["rows:"]
    about += [f"  {name}  {(row.__doc__ or '').splitlines()[0]}" for name, row in ROWS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure queuestream against the least pure Python can do, other libraries, and itself.",
        epilog="\n".join([*about, "", _EXAMPLES]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="ROWS", type=_rows, help="these rows, separated by commas")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and a tenth of the backlogs")
    parser.add_argument(
        "--smoke", action="store_true", help="only prove that every row runs; no peers, figures without worth"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the findings to a file")
    parser.add_argument(
        "--save",
        action="store_true",
        help="keep the findings in benchmarks/results/, as JSON and as Markdown",
    )
    parser.add_argument("--profile", metavar="ROW", type=_row, help="print where our time goes in one row")
    return parser


def _rows(text: str) -> list[str]:
    return [_row(name) for name in text.split(",")]


def _row(text: str) -> str:
    name = text.strip().upper()
    if name not in ROWS:
        raise argparse.ArgumentTypeError(f"there is no row {text!r}; the rows are {', '.join(ROWS)}")
    return name


def _profile(row: str, smoke: bool) -> int:
    profiler = cProfile.Profile()
    for _ in ROWS[row](Bench(SMOKE if smoke else QUICK, profiler)):
        # The first finding comes after the work that the row is about; peers would follow.
        break
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(25)
    return 0


def _save(about: dict[str, object], findings: Sequence[Finding]) -> None:
    _RESULTS.mkdir(exist_ok=True)
    name = f"{about['date']}-{str(about['python']).replace(' ', '-').lower()}-{about['effort']}"
    (_RESULTS / f"{name}.json").write_text(report.as_json(about, findings), encoding="utf-8")
    (_RESULTS / f"{name}.md").write_text(report.markdown(about, findings), encoding="utf-8")
    print(f"\nkept in benchmarks/results/{name}.md and .json")


if __name__ == "__main__":
    sys.exit(main())
