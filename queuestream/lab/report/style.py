"""How pictures look, and how a drawing becomes bytes: the same bytes for the same data.

Colours are those of Paul Tol's scheme "bright" (Colour Schemes, technical note SRON/EPS/TN/09-002),
which people with any colour vision tell apart, on white and on black; what matters is said by a shape or a
label, too.  Nothing here touches matplotlib's global state (no pyplot): settings hold while a
picture is drawn, and whatever a user has configured does not.

In an SVG that stands in a page, ink and grid are the page's own, so that dark pages have light ink.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from queuestream.lab.report.missing import PictureNeedsMatplotlib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

Format = Literal["png", "svg"]

INK, MUTED, GRID, PAPER = "#24292f", "#6e7781", "#d0d7de", "#fffffe"
"""Of the page that a picture stands in: each of these exact values is replaced there."""
BLUE, RED, GREEN, YELLOW, CYAN, PURPLE, GREY = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#bbbbbb",
)
KEY_COLOURS = (BLUE, RED, GREEN, YELLOW, CYAN, PURPLE)
"""For what is told apart; whatever is left is grey."""

IN_ORDER, LATE, REPEAT = BLUE, RED, PURPLE
POINTS_AS_VECTORS = 1_500
"""With more than so many points, they are one image within the drawing."""

_DOTS_PER_INCH = 160
_COLOURS_OF_PNG = 128
_SETTINGS: Any = {
    "svg.hashsalt": "queuestream",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.dpi": 100,
    "savefig.dpi": _DOTS_PER_INCH,
}


def require_matplotlib() -> None:
    """Find out early whether anything can be drawn.

    Raises:
        PictureNeedsMatplotlib: It is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise PictureNeedsMatplotlib from None


@contextmanager
def drawing() -> Iterator[None]:
    """While pictures are drawn: our settings and none of the user's.

    Raises:
        PictureNeedsMatplotlib: It is not installed.
    """
    require_matplotlib()
    import matplotlib as mpl  # noqa: PLC0415 - an extra

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(width: float = 5.6, height: float = 3.9) -> Figure:
    """An empty drawing; in inches, of which 5.6 are legible on a phone."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    return Figure(figsize=(width, height), layout="constrained")


def lay_out(figure: Figure) -> None:
    """Find the place of everything, once for all formats: that is most of the work."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # none at all: the placeholder has everything drawn twice


def to_bytes(figure: Figure, picture_format: Format) -> bytes:
    """The drawing as a file."""
    file = io.BytesIO()
    if picture_format == "svg":
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing, transparent=True)
        return file.getvalue()
    from PIL import Image  # noqa: PLC0415 - comes with matplotlib

    figure.savefig(file, format="png", metadata={"Software": None})
    drawn = Image.open(file).convert("RGB")
    file = io.BytesIO()
    # A third of the bytes, and nobody sees which colours are gone.
    drawn.quantize(_COLOURS_OF_PNG, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def say_heading(figure: Figure, title: str, subtitle: str) -> None:
    """What there is to see in a drawing, and in what."""
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=11.5, fontweight="bold", linespacing=1.5)
    down = 1 - 0.31 / figure.get_figheight()
    figure.text(0.01, down, subtitle, va="top", fontsize=9.5, color=MUTED)


def say_title(axes: Axes, title: str, subtitle: str) -> None:
    """What there is to see in one of several parts of a drawing."""
    axes.set_title(title, pad=22)
    axes.annotate(
        subtitle,
        (0, 1),
        xytext=(0, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        color=MUTED,
        fontsize=9.5,
        annotation_clip=False,
    )


def say_legend(figure: Figure, handles: Sequence[tuple[str, str, str]]) -> None:
    """Labels with their colour and marker, below everything else; the drawing grows by what they need.

    Called before `say_heading`, which counts from the top.
    """
    from matplotlib.lines import Line2D  # noqa: PLC0415 - an extra

    if not handles:
        return
    columns = _columns([label for label, _, _ in handles], figure.get_figwidth())
    figure.set_figheight(figure.get_figheight() + 0.23 * -(-len(handles) // columns))
    figure.legend(
        handles=[
            Line2D([], [], color=colour, marker=marker, linestyle="", markersize=5.5, label=label)
            for label, colour, marker in handles
        ],
        loc="outside lower left",
        ncols=columns,
        handletextpad=0.1,
        columnspacing=1.2,
    )


def _columns(labels: list[str], width: float) -> int:
    """How many columns of a legend fit into so many inches, each as wide as its longest label."""
    for columns in range(len(labels), 1, -1):
        rest, letters, begin = len(labels) % columns, 0, 0
        for column in range(columns):  # the first columns have one more, where it does not come out even
            end = begin + len(labels) // columns + (column < rest)
            letters += 5 + max(map(len, labels[begin:end]))
            begin = end
        if letters <= 11.5 * width:
            return columns
    return 1


def dots(count: int, marker: str) -> Any:
    """How `scatter` draws one of so many dots: small ones, as one image, where there are many."""
    size = max(2.0, min(20.0, 8_000 / max(1, count)))
    return {
        "s": size if marker == "o" else 1.5 * size,
        "marker": marker,
        "linewidths": 1.2 if marker == "x" else 0,
        "rasterized": count > POINTS_AS_VECTORS,
        "zorder": 3,
    }


def thousands(axes: Axes) -> None:
    """Whole numbers on both axes, with commas."""
    from matplotlib.ticker import StrMethodFormatter  # noqa: PLC0415 - an extra

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(whole_numbers())
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def whole_numbers() -> MaxNLocator:
    """Where an axis of counts has its ticks."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an extra

    return MaxNLocator(5, integer=True)


def colours_of(names: list[str]) -> dict[str, str]:
    """A colour for each of the first few names, grey for the others."""
    colours = dict(zip(names, KEY_COLOURS, strict=False))
    return {name: colours.get(name, GREY) for name in names}
