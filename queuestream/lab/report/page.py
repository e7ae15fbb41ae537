"""One HTML page that needs nothing but itself: no scripts, no requests; for a phone, too, in light and dark.

A page is made of pieces of HTML, each made by a function here, which escapes whatever it is given.
Pictures stand in it as SVG whose ink is the page's.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from queuestream.lab.report import style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.lab.report.pictures import Picture
    from queuestream.lab.report.tables import Table

_STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --muted: #59636e; --grid: #d0d7de; --paper: #ffffff;
  --good: #1a7f37; --bad: #cf222e; --code: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #9198a1; --grid: #3d444d;
  --paper: #0d1117; --good: #3fb950; --bad: #ff7b72; --code: #161b22; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--grid); padding-bottom: .2rem; }
p, ul { max-width: 46rem; }
.muted, figcaption { color: var(--muted); font-size: .9rem; }
.verdict { font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
pre { background: var(--code); padding: .7rem .9rem; border-radius: 6px; white-space: pre-wrap; }
code, pre { font: .88rem/1.45 ui-monospace, monospace; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr));
  gap: 1.5rem; align-items: start; }
figure { margin: 0; } figcaption { margin-top: .4rem; }
figure svg { width: 100%; height: auto; display: block; }
figure svg text { font-family: 'DejaVu Sans', Verdana, sans-serif !important; }
.wide { grid-column: 1 / -1; overflow-x: auto; margin-bottom: 1rem; } .wide svg { min-width: 46rem; }
.scroll { display: inline-block; vertical-align: top; max-width: 100%; overflow-x: auto;
  margin: .5rem 2.5rem .5rem 0; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; overflow-wrap: normal;
  border-bottom: 1px solid var(--grid); }
th { font-weight: 600; color: var(--muted); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; }
""".strip()

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_INKS = {style.INK: "--ink", style.MUTED: "--muted", style.GRID: "--grid", style.PAPER: "--paper"}


def page(title: str, pieces: Iterable[str]) -> str:
    """The whole page."""
    body = "\n".join(pieces)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>
{_STYLE}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; its kind is what the page's style knows: `muted`, `verdict good`, `verdict bad`."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def items(sentences: Iterable[str]) -> str:
    """A list."""
    return "<ul>\n" + "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "\n</ul>"


def code(text: str) -> str:
    """What is typed or printed."""
    return f"<pre><code>{escape(text)}</code></pre>"


def table(shown: Table) -> str:
    """A table that scrolls by itself where it is too wide."""
    kinds = [' class="number"' if is_number else "" for _, is_number in shown.columns]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>" for (name, _), kind in zip(shown.columns, kinds, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in shown.rows
    )
    return (
        f'<div class="scroll"><table>\n<caption>{escape(shown.title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


BEGIN_FIGURES, END_FIGURES = '<div class="figures">', "</div>"
"""Figures between these stand beside and below each other, as there is room."""


def begin_details(summary: str) -> str:
    """What follows is there for those who open it."""
    return f"<details>\n<summary>{escape(summary)}</summary>"


END_DETAILS = "</details>"


def figure(picture: Picture, drawing: str) -> str:
    """A picture, as SVG, with its caption."""
    caption = escape(picture.caption, quote=True)
    kind = ' class="wide"' if picture.is_wide else ""
    return (
        f'<figure role="img" aria-label="{caption}"{kind}>\n'
        f"{_inline(picture.name, drawing)}\n<figcaption>{caption}</figcaption>\n</figure>"
    )


def _inline(name: str, drawing: str) -> str:
    """The SVG as it may stand in a page: ids of its own, the page's ink."""
    drawing = drawing[drawing.index("<svg") :].strip()
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'(?<= id=")|(?<=href="#)|(?<=url\(#)', f"{name.replace('/', '-')}-", drawing)
    for ink, variable in _INKS.items():
        drawing = drawing.replace(ink, f"var({variable})")
    return drawing
