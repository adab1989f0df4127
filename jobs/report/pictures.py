"""Pictures as inline SVG: text stays text, nothing is loaded from outside, the same data give the same bytes."""

import io
import math
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from jobs.report.content import CalibrationPoint, Component, Curve, ScoreBin
from jobs.report.layout import positions
from jobs.report.strings import Words
from jobs.report.words import CONTENDERS, N_

INK, QUIET, RULE = "#22303a", "#66757f", "#d5dde2"
CONFIRMED, CLEARED, UNKNOWN = "#a8512b", "#8fa3ad", "#2f6580"
SCORES = LinearSegmentedColormap.from_list("scores", ["#edf2f4", "#9dbccb", "#1f4f6b"])
LINKS = {"shared_member": "#7f95a1", "shared_doctor": "#c99a3b", "repeated_claim": "#a8512b"}
_OTHERS = ("#c99a3b", "#8fa3ad", "#7d6b91", "#6f8f5f", "#b9876b")
_LABELLED_NODES = 24
_LABEL_LENGTH = 12
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": RULE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "legend.frameon": False,
    "axes.unicode_minus": False,
}
_SVG = "{http://www.w3.org/2000/svg}"


def precision_recall_picture(
    curves: Sequence[Curve], prevalence: float | None, words: Words
) -> str:
    """Precision against recall of every contender, the chosen one on top."""
    with _picture("pr") as (figure, axes):
        if prevalence is not None:
            axes.axhline(prevalence, color=RULE, linestyle="--", linewidth=1)
        quiet = [curve for curve in curves if not curve.is_chosen]
        for at, curve in enumerate(quiet):
            axes.plot(
                curve.recall,
                curve.precision,
                color=_OTHERS[at % len(_OTHERS)],
                linewidth=1.1,
                label=contender_label(curve.contender, words),
            )
        for curve in (curve for curve in curves if curve.is_chosen):
            label = contender_label(curve.contender, words)
            axes.plot(curve.recall, curve.precision, color=UNKNOWN, linewidth=2.2, label=label)
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.set_xlabel(words.text(N_("recall: share of the confirmed that are found")))
        axes.set_ylabel(words.text(N_("precision: share of the found that are confirmed")))
        axes.legend(fontsize=8, loc="upper right")
        return _svg(figure, "pr", words.text(N_("Precision and recall")))


def calibration_picture(points: Sequence[CalibrationPoint], words: Words) -> str:
    """The confirmed share against the mean score, in groups of equal size."""
    with _picture("calibration") as (figure, axes):
        axes.plot([0, 1], [0, 1], color=RULE, linestyle="--", linewidth=1)
        axes.plot(
            [point.mean_score for point in points],
            [point.observed for point in points],
            color=UNKNOWN,
            marker="o",
            markersize=4,
            linewidth=1.6,
        )
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.set_xlabel(words.text(N_("mean score of a group")))
        axes.set_ylabel(words.text(N_("share of the group that was confirmed")))
        return _svg(figure, "calibration", words.text(N_("Calibration")))


def distribution_picture(bins: Sequence[ScoreBin], words: Words) -> str:
    """The distribution of institutions over scores, by known outcome."""
    with _picture("distribution") as (figure, axes):
        width = 1 / len(bins)
        left = [one.low for one in bins]
        below = [0] * len(bins)
        for counts, color, label in (
            ([one.unknown for one in bins], UNKNOWN, words.text(N_("outcome unknown"))),
            ([one.cleared for one in bins], "#c3ced4", words.text(N_("no finding"))),
            ([one.confirmed for one in bins], CONFIRMED, words.text(N_("confirmed"))),
        ):
            axes.bar(
                left,
                counts,
                width * 0.92,
                below,
                align="edge",
                color=color,
                label=label,
                linewidth=0,
            )
            below = [old + new for old, new in zip(below, counts, strict=True)]
        axes.set_xlim(0, 1)
        axes.set_xlabel(words.text(N_("score")))
        axes.set_ylabel(words.text(N_("institutions")))
        axes.legend(fontsize=8, loc="upper right")
        return _svg(figure, "distribution", words.text(N_("Scores")))


def component_picture(component: Component, number: int, words: Words) -> str:
    """A component's institutions and links; darker is a higher score, wider is more shared."""
    key = f"group-{number}"
    size = (4.4, 3.5) if component.is_big else (2.9, 2.3)
    with _picture(key, size) as (figure, axes):
        at = positions(component)
        for kind in LINKS:
            edges = [edge for edge in component.edges if edge.kind == kind]
            axes.add_collection(
                LineCollection(
                    [(at[edge.src], at[edge.dst]) for edge in edges],
                    linewidths=[_width(edge.weight) for edge in edges],
                    colors=LINKS[kind],
                    alpha=0.75,
                    zorder=1,
                    capstyle="round",
                )
            )
        largest = 90 if len(component.nodes) <= _LABELLED_NODES else 46
        for outcome, edge_color, edge_width in (
            (None, "#ffffff", 0.8),
            (0, QUIET, 0.8),
            (1, CONFIRMED, 2),
        ):
            nodes = [node for node in component.nodes if node.outcome == outcome]
            axes.scatter(
                [at[node.institution][0] for node in nodes],
                [at[node.institution][1] for node in nodes],
                s=largest,
                c=["#ffffff" if node.score is None else SCORES(node.score) for node in nodes]
                or None,
                edgecolors=edge_color if outcome is not None else UNKNOWN,
                linewidths=edge_width,
                zorder=2,
            )
        for node in component.nodes[:_LABELLED_NODES]:
            x, y = at[node.institution]
            axes.annotate(
                _short(node.institution),
                (x, y),
                xytext=(0, -8.5),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=6.5,
                zorder=3,
            )
        axes.set_axis_off()
        axes.margins(0.12, 0.1)
        title = words.text(N_("Group %(number)s"), number=number)
        return _svg(figure, key, title)


def contender_label(name: str, words: Words) -> str:
    """The name of a method of ranking."""
    return words.text(CONTENDERS.get(name, name.replace("_", " ")))


def _width(weight: int) -> float:
    return min(0.6 + 0.45 * math.sqrt(weight), 5.0)


def _short(institution: str) -> str:
    """The start of an id, long enough to find it in the list below the picture."""
    if len(institution) <= _LABEL_LENGTH:
        return institution
    return institution[: _LABEL_LENGTH - 1] + "\N{HORIZONTAL ELLIPSIS}"


@contextmanager
def _picture(key: str, size: tuple[float, float] = (5.0, 3.4)) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": key}), warnings.catch_warnings():
        # Only measured with its own font; the reader's browser draws the text, Chinese too.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=size, layout="constrained")
        yield figure, figure.subplots()


def _svg(figure: Figure, key: str, title: str) -> str:
    """The figure as SVG for the inside of a page: no prolog, no metadata, ids of its own."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(buffer.getvalue())  # noqa: S314 - matplotlib's own output, made just now
    for element in root.findall(f"{_SVG}metadata"):
        root.remove(element)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        for name, value in list(element.attrib.items()):
            del element.attrib[name]
            plain = name.rsplit("}", 1)[-1]
            if plain == "id":
                value = f"{key}-{value}"
            elif plain == "href" and value.startswith("#"):
                value = f"#{key}-{value[1:]}"
            elif "url(#" in value:
                value = value.replace("url(#", f"url(#{key}-")
            element.attrib[plain] = value
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update({"role": "img", "aria-label": title, "class": "picture"})
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - serialised, so escaped
