"""What is wrong with the layout of a figure: text that is cut off, or that lies on other text."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

SLACK = 0.01
"""Inches: boxes round text are drawn a little wider than its ink."""


def texts(figure: Figure) -> list[Text]:
    """Everything in words and numbers that is printed."""
    found: list[Text] = []
    for axes in figure.axes:
        found += axes.texts
        if axes.axison:
            found += [axes.title, axes.xaxis.label, axes.yaxis.label]
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
                found += [label for place, label in ticks if low <= place <= high]
    return [text for text in found if text.get_visible() and text.get_text()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def faults(figure: Figure) -> list[str]:
    """Cut and overlapping text, in words; an empty list for a sound layout."""
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(figure)]
    slack = SLACK * figure.dpi
    wrong = []
    for name, box in boxes:
        if min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) < -slack:
            wrong.append(f"{name!r} is cut")
    for (name, one), (other, two) in combinations(boxes, 2):
        across = min(one.x1, two.x1) - max(one.x0, two.x0)
        down = min(one.y1, two.y1) - max(one.y0, two.y0)
        if across > slack and down > slack:
            wrong.append(f"{name!r} lies on {other!r}")
    return wrong
